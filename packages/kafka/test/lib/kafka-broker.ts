// Real brokers of Apache Kafka on loopback: one node for most tests, three with replication where a leader has to move.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KafkaHelper, kafkaLibs, kafkaMade, kafkaMissing, moveIntoPlace } from "./kafka-helper.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { makeCertificates, type Certificates } from "./certificates.ts";

export { kafkaMissing };

/** Why the independent client cannot run here; undefined when it can. */
export function kcatMissing(): string | undefined {
  const { status } = spawnSync("kcat", ["-V"], { stdio: "ignore" });
  return status === 0 ? undefined : "kcat is not installed (Debian package kcat)";
}

/** The same for every run, so that formatted disks can be copied. */
const clusterId = "aW5nZXN0LXRlc3RzLTAwMQ";
export const saslUser = "reader";
export const saslPassword = "sasl-secret-77c1";

/** How clients may connect: without security, through the fault proxies, with a password, over TLS, or both. */
export type ListenerName = "PLAIN" | "PROXIED" | "SASL" | "TLS" | "SASLTLS";
const listenerNames: readonly ListenerName[] = ["PLAIN", "PROXIED", "SASL", "TLS", "SASLTLS"];

export interface ClusterOptions {
  /** 1 or 3. */
  readonly nodes?: number;
  /** Further settings of every broker. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Listeners with TLS (a CA of our own) and SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and unsecured OAUTHBEARER. */
  readonly secure?: boolean;
  readonly heapMb?: number;
  /** With the optimizing compiler: for measurements. */
  readonly fast?: boolean;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Classes as the JVM has them in memory: with it a broker starts in half the CPU time. Made by the first broker that ends. */
const classArchive = join(kafkaMade, "classes-4.3.1.jsa");

/** A formatted disk of node `id`, made once by Kafka's own tool. */
function formattedDisk(id: number): string {
  const folder = join(kafkaMade, `disk-4.3.1-${id}`);
  if (existsSync(folder)) return folder;
  mkdirSync(kafkaMade, { recursive: true });
  const fresh = `${folder}.${process.pid}`;
  const file = `${fresh}.properties`;
  const properties = {
    "process.roles": "broker,controller",
    "node.id": id,
    "controller.quorum.voters": [1, 2, 3].map((each) => `${each}@127.0.0.1:${each}`).join(","),
    listeners: "PLAINTEXT://127.0.0.1:9,CONTROLLER://127.0.0.1:10",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": fresh,
  };
  writeFileSync(file, textOf(properties));
  const args = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", `${kafkaLibs}/*`, "kafka.tools.StorageTool", "format"];
  const { status, stdout, stderr } = spawnSync("java", [...args, "-t", clusterId, "-c", file], { encoding: "utf8" });
  rmSync(file);
  if (status !== 0) throw new Error(`kafka.tools.StorageTool format: ${stdout}${stderr}`);
  moveIntoPlace(fresh, folder);
  return folder;
}

const textOf = (properties: Readonly<Record<string, string | number>>): string =>
  `${Object.entries(properties)
    .map(([key, value]) => `${key}=${String(value).replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`)
    .join("\n")}\n`;

/** One broker, which is also a controller. Its disk outlives `stop` and `kill`. */
export class KafkaNode {
  readonly id: number;
  readonly ports: Readonly<Record<ListenerName | "CONTROLLER", number>>;
  /** Before the listener PROXIED; clients that came through it know no other way. */
  readonly proxy: TcpProxy;
  readonly #folder: string;
  readonly #options: ClusterOptions;
  #child: ChildProcess | undefined;
  #archiving = false;

  constructor(
    id: number,
    ports: Readonly<Record<ListenerName | "CONTROLLER", number>>,
    proxy: TcpProxy,
    folder: string,
    options: ClusterOptions,
  ) {
    this.id = id;
    this.ports = ports;
    this.proxy = proxy;
    this.#folder = folder;
    this.#options = options;
  }

  get logFile(): string {
    return join(this.#folder, `node-${this.id}.log`);
  }

  /** The last lines that the broker printed. */
  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, "utf8").slice(-6000) : "";
  }

  configure(voters: string, certificates: Certificates | undefined): void {
    const disk = join(this.#folder, `disk-${this.id}`);
    cpSync(formattedDisk(this.id), disk, { recursive: true });
    const used = listenerNames.filter((name) => certificates !== undefined || name === "PLAIN" || name === "PROXIED");
    const copies = Math.min(3, this.#options.nodes ?? 1);
    const protocols = {
      PLAIN: "PLAINTEXT",
      PROXIED: "PLAINTEXT",
      SASL: "SASL_PLAINTEXT",
      TLS: "SSL",
      SASLTLS: "SASL_SSL",
    };
    const properties: Record<string, string | number> = {
      "process.roles": "broker,controller",
      "node.id": this.id,
      "controller.quorum.voters": voters,
      "controller.listener.names": "CONTROLLER",
      listeners: [...used, "CONTROLLER" as const].map((name) => `${name}://127.0.0.1:${this.ports[name]}`).join(","),
      "advertised.listeners": used
        .map((name) => `${name}://127.0.0.1:${name === "PROXIED" ? this.proxy.port : this.ports[name]}`)
        .join(","),
      "listener.security.protocol.map": `CONTROLLER:PLAINTEXT,${used.map((name) => `${name}:${protocols[name]}`).join(",")}`,
      "inter.broker.listener.name": "PLAIN",
      "log.dirs": disk,
      "num.partitions": 1,
      "offsets.topic.num.partitions": 3,
      "offsets.topic.replication.factor": copies,
      "transaction.state.log.num.partitions": 3,
      "transaction.state.log.replication.factor": copies,
      "transaction.state.log.min.isr": Math.min(2, copies),
      "share.coordinator.state.topic.num.partitions": 1,
      "share.coordinator.state.topic.replication.factor": copies,
      "min.insync.replicas": Math.min(2, copies),
      "unclean.leader.election.enable": "false",
      "auto.create.topics.enable": "false",
      "auto.leader.rebalance.enable": "false",
      "group.initial.rebalance.delay.ms": 0,
      "controlled.shutdown.enable": "true",
      "broker.session.timeout.ms": 6000,
      "message.max.bytes": 64 * 1024 * 1024,
      "replica.fetch.max.bytes": 64 * 1024 * 1024,
      "socket.request.max.bytes": 128 * 1024 * 1024,
      "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
      "log.cleaner.backoff.ms": 200,
      "log.initial.task.delay.ms": 500,
      "log.retention.check.interval.ms": 1000,
      "log.segment.delete.delay.ms": 100,
      "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
      ...(certificates === undefined ? {} : securityOf(certificates)),
      ...this.#options.config,
    };
    writeFileSync(join(this.#folder, `node-${this.id}.properties`), textOf(properties));
  }

  start(): void {
    const { heapMb = 256, fast = false } = this.#options;
    const flags = fast ? [] : ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...this.#archiveFlags()];
    const log = [
      "-Dorg.slf4j.simpleLogger.showDateTime=true",
      "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    ];
    const output = openSync(this.logFile, "a");
    const file = join(this.#folder, `node-${this.id}.properties`);
    this.#child = spawn(
      "java",
      [`-Xmx${heapMb}m`, "-Xms64m", ...flags, ...log, "-cp", `${kafkaLibs}/*`, "kafka.Kafka", file],
      { stdio: ["ignore", output, output] },
    );
    this.#child.once("error", () => {});
    closeSync(output);
  }

  #archiveFlags(): string[] {
    if (existsSync(classArchive)) return [`-XX:SharedArchiveFile=${classArchive}`];
    this.#archiving = true;
    return [`-XX:ArchiveClassesAtExit=${classArchive}.${process.pid}.${this.id}`];
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal; resolves at the end of the process where it ends one. */
  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** kill -9, as a machine that loses its power. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** An orderly end: leadership moves to others first. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it for good; the first time in order, so that the class archive is written. */
  async discard(): Promise<void> {
    if (this.#archiving && this.running) {
      const patience = setTimeout(() => void this.kill(), 60_000);
      await this.stop();
      clearTimeout(patience);
      const made = `${classArchive}.${process.pid}.${this.id}`;
      if (existsSync(made)) moveIntoPlace(made, classArchive);
    }
    await this.kill();
  }

  /** SIGSTOP: its sockets stay open, and nothing answers. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }
}

function securityOf(certificates: Certificates): Record<string, string | number> {
  const login = (module: string, options: string): string =>
    `org.apache.kafka.common.security.${module} required ${options};`;
  const result: Record<string, string | number> = {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": certificates.serverFile,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": certificates.caFile,
  };
  for (const name of ["sasl", "sasltls"]) {
    const prefix = `listener.name.${name}`;
    result[`${prefix}.plain.sasl.jaas.config`] = login("plain.PlainLoginModule", `user_${saslUser}="${saslPassword}"`);
    for (const bits of [256, 512]) {
      result[`${prefix}.scram-sha-${bits}.sasl.jaas.config`] = login("scram.ScramLoginModule", "").replace(" ;", ";");
    }
    result[`${prefix}.oauthbearer.sasl.jaas.config`] = login(
      "oauthbearer.OAuthBearerLoginModule",
      'unsecuredLoginStringClaim_sub="broker"',
    );
  }
  return result;
}

/** One or three brokers, proxies and the reference client before them. */
export class KafkaCluster {
  readonly nodes: readonly KafkaNode[];
  readonly helper: KafkaHelper;
  /** PEM of the authority that signed the brokers' certificates, when they are `secure`. */
  readonly ca: string | undefined;
  readonly #folder: string;

  constructor(nodes: readonly KafkaNode[], helper: KafkaHelper, ca: string | undefined, folder: string) {
    this.nodes = nodes;
    this.helper = helper;
    this.ca = ca;
    this.#folder = folder;
  }

  /** Addresses "127.0.0.1:port" of every broker. */
  brokers(listener: ListenerName = "PLAIN"): string[] {
    return this.nodes.map((node) => `127.0.0.1:${listener === "PROXIED" ? node.proxy.port : node.ports[listener]}`);
  }

  node(id: number): KafkaNode {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Resolves when every node that runs answers a request, and knows all that run. */
  async ready(timeoutMs = 120_000): Promise<void> {
    const until = Date.now() + timeoutMs;
    const up = this.nodes.filter((node) => node.running);
    for (const node of up) {
      while ((await brokersKnownBy(node.ports.PLAIN).catch(() => 0)) < up.length) {
        if (!node.running) throw new Error(`broker ${node.id} ended:\n${node.log}`);
        if (Date.now() > until) throw new Error(`broker ${node.id} is not ready after ${timeoutMs} ms:\n${node.log}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async stop(): Promise<void> {
    await this.helper.stop();
    for (const node of this.nodes) node.thaw();
    await Promise.all(this.nodes.map((node) => node.discard()));
    await Promise.all(this.nodes.map((node) => node.proxy.stop()));
    if (process.env.INGEST_KEEP_KAFKA === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Asks for metadata (version 1) and counts the brokers of the answer. */
async function brokersKnownBy(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(3000, () => socket.destroy(new Error("no answer")));
  try {
    const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 4);
    request.writeInt32BE(request.length - 4, 0);
    request.writeInt16BE(3, 4);
    request.writeInt16BE(1, 6);
    request.writeInt16BE(-1, 12); // no client id
    request.writeInt32BE(0, 14); // no topics
    socket.write(request);
    let answer = Buffer.alloc(0);
    for await (const bytes of socket) {
      answer = Buffer.concat([answer, bytes as Buffer]);
      if (answer.length >= 12) return answer.readInt32BE(8);
    }
    return 0;
  } finally {
    socket.destroy();
  }
}

/**
 * Starts one broker (default) or three, on free ports.
 *
 * @throws Error with the broker's log when it does not come up
 */
export async function startKafka(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const missing = kafkaMissing();
  if (missing !== undefined) throw new Error(missing);
  const names = [...listenerNames, "CONTROLLER"] as const;
  const count = options.nodes ?? 1;
  // A port that was free may be taken by the time the broker wants it.
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), "ingest-kafka-"));
    const certificates = options.secure === true ? makeCertificates(folder) : undefined;
    const ports = await freePorts(count * names.length);
    const nodes: KafkaNode[] = [];
    for (let id = 1; id <= count; id++) {
      const own = Object.fromEntries(names.map((name, at) => [name, ports[(id - 1) * names.length + at] as number]));
      const places = own as Record<(typeof names)[number], number>;
      nodes.push(new KafkaNode(id, places, await startTcpProxy(places.PROXIED), folder, options));
    }
    const voters = nodes.map((node) => `${node.id}@127.0.0.1:${node.ports.CONTROLLER}`).join(",");
    for (const node of nodes) {
      node.configure(voters, certificates);
      node.start();
    }
    const helper = new KafkaHelper(nodes.map((node) => `127.0.0.1:${node.ports.PLAIN}`).join(","));
    const cluster = new KafkaCluster(nodes, helper, certificates?.ca, folder);
    try {
      await cluster.ready();
      return cluster;
    } catch (error) {
      const taken = nodes.some((node) => node.log.includes("Address already in use"));
      await cluster.stop();
      if (!taken || attempt === 3) throw error;
    }
  }
}
