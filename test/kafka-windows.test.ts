// Batches of a real topic by sealed windows, in process and through `ingest serve`: needs `npm run build` (npm test does it).
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StateDict } from "@ingest-ts/core";
import { load, type StreamOptions } from "@ingest-ts/loader";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type KafkaCluster, kafkaMissing, startKafka } from "../packages/kafka/test/lib/kafka-broker.ts";
import { ingest, Running } from "./lib/cli.ts";
import { ServeStream, streamPath } from "./lib/serve.ts";
import { root } from "./lib/tree.ts";

const run = promisify(execFile);
const python = join(root, ".venv", "bin", "python");
const hasPyarrow = existsSync(python) && spawnSync(python, ["-c", "import pyarrow"]).status === 0;
const noPython = hasPyarrow ? "" : " (skipped: there is no Python with pyarrow in .venv)";

const missing = kafkaMissing();
if (missing !== undefined) it.skip(`windows of Kafka (skipped: ${missing})`, () => {});

describe.skipIf(missing !== undefined)("windows of Kafka", () => {
  let kafka: KafkaCluster;
  let folder: string;
  beforeAll(async () => {
    kafka = await startKafka();
    await kafka.helper.producer("p", { "compression.type": "zstd" });
    await kafka.helper.producer("t", { "transactional.id": "t" });
  });
  afterAll(() => kafka?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ingest-windows-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const urlOf = (topic: string): string => `kafka://${kafka.brokers().join(",")}/${topic}`;

  /** Rows `partition × 100,000 + i`, with aborted ones between them; `silent` gets none. */
  async function fill(topic: string, partitions: number, rows: number, silent = -1): Promise<number[]> {
    const { helper } = kafka;
    await helper.createTopic(topic, { partitions });
    const ids: number[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      if (partition === silent) continue;
      const own = Array.from({ length: rows }, (_, i) => partition * 100_000 + i);
      ids.push(...own);
      const values = own.map((id) => ({ value: JSON.stringify({ id, half: id / 2 }) }));
      await helper.send("p", topic, values.slice(0, rows >> 1), partition);
      await helper.begin("t");
      await helper.send("t", topic, [{ value: '{"id":-1}' }], partition);
      await helper.abort("t");
      await helper.send("p", topic, values.slice(rows >> 1), partition);
    }
    return ids;
  }

  const optionsOf = (topic: string, more: Partial<StreamOptions> = {}): StreamOptions => ({
    source: urlOf(topic),
    kafka: { seals: join(folder, "seals"), valueAs: "json", windowRows: 300, end: "latest" },
    columns: ["id"],
    batchSize: 16,
    seed: 7,
    world: { rank: 0, worldSize: 1 },
    ...more,
  });

  interface Seen {
    readonly ids: readonly number[];
    readonly state: StateDict;
  }

  async function read(options: StreamOptions, state?: StateDict, most = Number.POSITIVE_INFINITY): Promise<Seen[]> {
    const batches = await load(options);
    if (state !== undefined) batches.loadStateDict(JSON.parse(JSON.stringify(state)) as StateDict);
    const seen: Seen[] = [];
    try {
      while (seen.length < most) {
        const { value } = await batches.next();
        if (value === undefined) break;
        seen.push({ ids: Array.from(value.toRecordBatch().getChild("id") ?? [], Number), state: value.state });
      }
    } finally {
      await batches.close();
    }
    return seen;
  }

  const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
  const idsOf = (seen: readonly Seen[]): number[] => sorted(seen.flatMap(({ ids }) => ids));

  it("give every committed row once, shuffled, and the same batches after a resume", async () => {
    const ids = await fill("resumed", 3, 400);
    const whole = await read(optionsOf("resumed"));
    expect(idsOf(whole)).toEqual(sorted(ids));
    expect(whole[0]?.ids).not.toEqual(sorted(whole[0]?.ids ?? []));
    // Four full ones, and one that says that nothing follows.
    expect(await readdir(join(folder, "seals", "seal"))).toHaveLength(5);
    for (const stop of [1, 17, 19, 38, whole.length - 1]) {
      const rest = await read(optionsOf("resumed"), whole[stop - 1]?.state);
      expect(rest.map((seen) => seen.ids)).toEqual(whole.slice(stop).map((seen) => seen.ids));
    }
  });

  it("go on when the topic grows, and refuse a state of another topic", async () => {
    const ids = await fill("growing", 2, 200);
    await fill("other", 1, 20);
    const open = { seals: join(folder, "seals"), valueAs: "json", windowRows: 400 } as const;
    const first = await read(optionsOf("growing", { kafka: open }), undefined, 25);
    expect(idsOf(first)).toEqual(sorted(ids));
    const more = Array.from({ length: 400 }, (_, i) => ({ value: JSON.stringify({ id: 900_000 + i, half: 0 }) }));
    await kafka.helper.send("p", "growing", more, 1);
    const later = await read(optionsOf("growing", { kafka: open }), first.at(-1)?.state, 25);
    expect(idsOf(later)).toEqual(Array.from({ length: 400 }, (_, i) => 900_000 + i));
    const elsewhere = { ...open, seals: join(folder, "elsewhere"), end: "latest" } as const;
    await expect(read(optionsOf("other", { kafka: elsewhere }), first.at(-1)?.state)).rejects.toThrow(/another stream/);
    await expect(read(optionsOf("other", { kafka: open }))).rejects.toThrow(/sealed with other options/);
  });

  it("of a topic that was made again under its name are refused, though it holds as many rows", async () => {
    await fill("again", 2, 200);
    const first = await read(optionsOf("again"), undefined, 3);
    await kafka.helper.deleteTopic("again");
    // A producer that is in the middle of a topic's sequence does not begin another's.
    await kafka.helper.producer("p", { "compression.type": "zstd" });
    await fill("again", 2, 200);
    const refusal = /deleted and made again/;
    await expect(read(optionsOf("again"), first.at(-1)?.state)).rejects.toThrow(refusal);
    await expect(read(optionsOf("again"))).rejects.toThrow(refusal);
  });

  it("are refused by name where options contradict each other", async () => {
    const { kafka: _, ...without } = optionsOf("resumed");
    await expect(load(without)).rejects.toThrow(/needs a place for its seals/);
    await expect(load(optionsOf("resumed", { source: "x.parquet" }))).rejects.toThrow(/kafka is for a kafka/);
    await expect(load(optionsOf("resumed", { columns: ["nothing"] }))).rejects.toThrow(/nothing/);
  });

  it("are proved by a ledger: stopped behind its checkpoint, and every row once", async () => {
    await fill("proved", 3, 400);
    const ledger = join(folder, "ledger");
    const first = await read(optionsOf("proved", { ledger }), undefined, 21);
    await read(optionsOf("proved", { ledger }), first[17]?.state);
    const { status, stdout } = await ingest(["audit", ledger]);
    expect(stdout).toMatch(
      /^1,200 rows in 4 windows, each once\n {2}44 rolled back, and consumed again\n {2}proved, partition 0: offsets \[0, 402\), 400 rows\n/,
    );
    expect(status).toBe(0);
  });

  it.skipIf(noPython !== "")(`are proved by a ledger of the Python client${noPython}`, async () => {
    await fill("served", 3, 400);
    const [socket, ledger] = [join(folder, "serve.sock"), join(folder, "ledger")];
    const args = ["serve", urlOf("served"), "--value-as", "json", "--columns", "id", "--seals", join(folder, "seals")];
    const server = new Running([
      ...args,
      "--seal-rows",
      "300",
      "--until",
      "latest",
      "--batch",
      "16",
      "--socket",
      socket,
    ]);
    await expect.poll(() => server.stdout, { timeout: 60_000 }).toContain('"ready":true');
    const code =
      "import sys, ingest_client\n" +
      "with ingest_client.connect(sys.argv[1], rank=0, world=1, ledger=sys.argv[2]) as first:\n" +
      "    state = [(next(first), first.state_dict())[1] for _ in range(21)][17]\n" +
      "again = ingest_client.connect(sys.argv[1], rank=0, world=1, ledger=sys.argv[2], state=state)\n" +
      "print(sum(batch.num_rows for batch in again))\n";
    const { stdout, stderr } = await run(python, ["-c", code, `unix:${socket}`, ledger], {
      env: { ...process.env, PYTHONPATH: join(root, "python", "src") },
    });
    expect(stderr).toBe("");
    // Windows of 300 rows have 19 batches, the last of 12 rows: 18 of them were consumed.
    expect(Number(stdout)).toBe(1200 - 18 * 16);
    expect(await server.kill("SIGTERM")).toBe(0);
    const audit = await ingest(["audit", ledger, "--json"]);
    expect(JSON.parse(audit.stdout)).toMatchObject({ ok: true, attempts: 2, findings: [] });
    const report = JSON.parse(audit.stdout) as { partitions: { rows: number }[] };
    expect(report.partitions.map(({ rows }) => rows)).toEqual([400, 400, 400]);
  });

  it("of 12 partitions, one silent, feed 64 ranks in equal steps; a killed server loses and doubles nothing", async () => {
    const ids = await fill("many", 12, 150, 5);
    const socket = join(folder, "serve.sock");
    const args = ["serve", urlOf("many"), "--value-as", "json", "--columns", "id", "--seals", join(folder, "seals")];
    const more = ["--seal-rows", "600", "--until", "latest", "--batch", "4", "--world", "64", "--socket", socket];
    const start = async (): Promise<Running> => {
      const server = new Running([...args, ...more]);
      await expect.poll(() => server.stdout, { timeout: 60_000 }).toContain('"ready":true');
      return server;
    };
    let server = await start();
    const ranks = Array.from({ length: 64 }, () => ({ ids: [] as number[], steps: [] as string[], state: {} }));
    /** One batch on every rank; false when the run is complete. */
    const step = async (streams: readonly ServeStream[]): Promise<boolean> => {
      const goesOn = await Promise.all(
        streams.map(async (stream, rank) => {
          const own = ranks[rank] as (typeof ranks)[number];
          for (;;) {
            const message = await stream.next();
            if (message === undefined) throw new Error(`the stream of rank ${rank} was cut`);
            const { said, batch } = message;
            if (said.kind === "end") return false;
            if (said.kind !== "batch") continue;
            const valid = batch.getChild("ingest_valid");
            own.ids.push(...Array.from(batch.getChild("id") ?? [], Number).filter((_, i) => valid?.get(i) === true));
            own.steps.push(`${said.epoch}:${said.step}`);
            own.state = said.state;
            return true;
          }
        }),
      );
      expect(new Set(goesOn).size).toBe(1);
      return goesOn[0] === true;
    };
    const open = (resume: boolean): Promise<ServeStream[]> =>
      Promise.all(
        ranks.map(({ state }, rank) => ServeStream.open(socket, streamPath(rank, 64, resume ? { state } : {}))),
      );
    let streams = await open(false);
    for (let i = 0; i < 3; i++) expect(await step(streams)).toBe(true);
    // The second window is sealed by then or not: either way it is what it would have been.
    await server.kill("SIGKILL");
    server = await start();
    streams = await open(true);
    while (await step(streams)) {
      // Until every rank has everything.
    }
    for (const { steps } of ranks) expect(steps).toEqual(ranks[0]?.steps);
    expect(sorted(ranks.flatMap((rank) => rank.ids))).toEqual(sorted(ids));
    expect(await server.kill("SIGTERM")).toBe(0);
  }, 180_000);
});
