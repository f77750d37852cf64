import { OptionsError } from "@ingest-ts/core";
import type { Command } from "commander";
import { applySettings, readConfig } from "../consume/config.ts";
import { addConsumeOptions, type ConsumeFlags } from "../consume/flags.ts";
import { type ConsumeRun, openConsumer, type OpenedConsumer } from "../consume/run.ts";
import { addKafkaOptions, connectionOf, secretsHelp } from "../kafka/kafka-options.ts";
import { addPayloadOptions, payloadsHelp } from "../kafka/payload-options.ts";
import { createLog, errorFields, type Log } from "../ops/log.ts";
import { ConsumerMetrics } from "../ops/metrics.ts";
import { listenForOps, type OpsServer } from "../ops/ops-server.ts";
import { watchKafka } from "../ops/watch-kafka.ts";
import { exitCodes, OutputClosed } from "../process/exit-codes.ts";
import { markTold } from "../process/report-error.ts";
import { version } from "../process/version.ts";

const examples = `
Examples:
  ingest consume kafka://localhost:9092/flights --until latest --to jsonl
  ingest consume kafka://broker:9092/flights --group train --to s3://bucket/new
  ingest consume --config consume.yaml
`;

const explanation = `
Rows go to standard output, or to shards: --to
DIR/TOPIC/PARTITION/START.parquet, where START is the first offset. A shard is
visible when it is complete; then _shards/TOPIC/PARTITION/START.json notes where
it ends, and only then its records count as read. A consumer that was killed
begins at the last shard that counts, and replaces at most the one that did not.
With --group, offsets live in the group, and members share the partitions.
Without, this process reads those of its rank (ingest env) and goes on behind
the last shard that was noted. Options come from the command line, else from
INGEST_ and their name in capitals (INGEST_ROLL_ROWS), else from --config.
SIGTERM and Ctrl-C finish the open shards, commit and leave the group; a second
one ends the process at once: then the next start reads again what was not
finished.`;

/** Adds `ingest consume` to the program. */
export function registerConsume(program: Command): void {
  const command = program
    .command("consume")
    .description("records of Kafka into shards of any format, or to standard output")
    .argument("[uri]", "kafka://host:port[,host:port]/topic[,topic]");
  addKafkaOptions(addPayloadOptions(addConsumeOptions(command)))
    .addHelpText("before", examples)
    .addHelpText("after", explanation + payloadsHelp + secretsHelp)
    .action((uri: string | undefined, _flags: unknown, self: Command) => consume(uri, self));
}

async function consume(uri: string | undefined, command: Command): Promise<void> {
  const { config } = command.opts<ConsumeFlags>();
  const path = config ?? (process.env["INGEST_CONFIG"] || undefined);
  const file = path === undefined ? {} : await readConfig(path);
  applySettings(command, { file, path, env: process.env });
  const flags = command.opts<ConsumeFlags>();
  const log = createLog(flags.logFormat, (line) => process.stderr.write(line));
  try {
    await start(uri ?? process.env["INGEST_URI"] ?? file["uri"], flags, log);
  } catch (error) {
    // Who reads lines of JSON gets nothing else.
    if (flags.logFormat === "json" && !(error instanceof OutputClosed)) {
      log.error("failed", errorFields(error));
      markTold(error);
    }
    throw error;
  }
}

async function start(uri: string | undefined, flags: ConsumeFlags, log: Log): Promise<void> {
  const { parseKafkaUrl } = await import("@ingest-ts/kafka");
  const address = parseKafkaUrl(uriOf(uri));
  if (address.topics.length === 0) {
    throw new OptionsError("the URL names no topic", { remedy: "Write kafka://host:port/topic." });
  }
  const connection = await connectionOf(address.brokers, flags, process.env);
  const metrics = new ConsumerMetrics(version(), flags.format ?? "parquet");
  await runConsumer({ address, connection, flags, log, metrics });
}

function uriOf(uri: string | undefined): string {
  if (uri !== undefined && uri !== "") return uri;
  throw new OptionsError("no topic is named", { remedy: "Write kafka://host:port/topic, or `uri` in --config." });
}

async function runConsumer(run: ConsumeRun): Promise<void> {
  const { flags, log, metrics } = run;
  const unwatch = watchKafka(metrics);
  const state: { consumer?: OpenedConsumer["consumer"] } = {};
  const ops = await openOps(run, state);
  const stop = stopper(log, flags.drainSeconds, () => {
    // Still connecting: nothing is open, and no group was joined.
    if (state.consumer === undefined) process.exit(exitCodes.ok);
    state.consumer.stop();
  });
  try {
    const opened = await openConsumer(run);
    const { consumer } = opened;
    state.consumer = consumer;
    metrics.active(true);
    try {
      await consumer.run();
    } finally {
      metrics.active(false);
      await opened.close();
    }
    log.info("done", { rows: consumer.rows });
  } finally {
    stop.end();
    unwatch();
    await ops?.close();
  }
}

async function openOps(
  { flags, metrics, log }: ConsumeRun,
  state: { readonly consumer?: OpenedConsumer["consumer"] },
): Promise<OpsServer | undefined> {
  if (flags.opsPort === undefined) return undefined;
  const starting = { ok: false, why: "starting" };
  const server = await listenForOps(flags.opsHost, flags.opsPort, {
    live: () => state.consumer?.live ?? { ok: true },
    ready: () => state.consumer?.ready ?? starting,
    metrics: async () => ({ type: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  });
  log.info("listening for probes", { host: flags.opsHost, port: server.port });
  return server;
}

interface Stopper {
  end(): void;
}

/** The first signal asks to stop; a second one, or the end of the time for it, ends the process. */
function stopper(log: Log, drainSeconds: number, stop: () => void): Stopper {
  let asked = false;
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const code = name === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
    if (asked) process.exit(code);
    asked = true;
    log.info("stopping: finishing what is open (again to stop at once)", { signal: name });
    timer = setTimeout(() => {
      log.error("what is open could not be finished in time", { drainSeconds });
      process.exit(code);
    }, drainSeconds * 1000);
    timer.unref();
    stop();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  return {
    end: () => {
      clearTimeout(timer);
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, onSignal);
    },
  };
}
