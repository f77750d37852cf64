import { type Command, Option } from "commander";
import { type TargetFormat, targets } from "../convert/targets.ts";
import { countParser } from "../input/order-options.ts";
import { sizeParser } from "../input/sizes.ts";
import type { KafkaFlags } from "../kafka/kafka-options.ts";
import type { PayloadFlags } from "../kafka/payload-options.ts";
import { type Place, placeParser } from "../kafka/places.ts";
import type { LogFormat } from "../ops/log.ts";

/** How rows are printed when they go to standard output. */
export const printFormats = ["jsonl", "arrow", "table"] as const;

/** What commander hands over for `ingest consume`; defaults are filled in by `applyDefaults` of the command. */
export interface ConsumeFlags extends KafkaFlags, PayloadFlags {
  readonly config?: string;
  readonly group?: string;
  readonly instanceId?: string;
  readonly commitEvery?: number;
  readonly from: Place;
  readonly until?: Place;
  readonly onDataLoss: "fail" | "earliest" | "latest";
  readonly limit?: number;
  readonly to?: string;
  readonly format?: TargetFormat;
  readonly codec?: string;
  readonly lossy?: boolean;
  readonly rollRows: number;
  readonly rollBytes: number;
  readonly rollSeconds: number;
  readonly bytesInFlight: number;
  readonly drainSeconds: number;
  readonly opsHost: string;
  readonly opsPort?: number;
  readonly logFormat: LogFormat;
}

const seconds = countParser;

function groupOptions(): Option[] {
  return [
    new Option("--group <name>", "be a member of this consumer group; offsets live there"),
    new Option("--instance-id <name>", "static membership: the same name gets its partitions back"),
    new Option("--commit-every <n>", "finished shards (or written runs) of one commit (default 1)").argParser(
      countParser("--commit-every"),
    ),
  ];
}

function outputOptions(): Option[] {
  const MiB = 2 ** 20;
  return [
    new Option("--to <where>", `a folder or s3:// prefix for shards, or ${printFormats.join(", ")} on standard output`),
    new Option("--format <name>", "of shards (default parquet)").choices(targets.map(({ format }) => format)),
    new Option("--codec <name>", "of shards (the format's default)"),
    new Option("--lossy", "change columns that the format of shards cannot hold, as `convert --lossy` does"),
    new Option("--roll-rows <n>", "a shard ends with so many rows").argParser(countParser("--roll-rows")).default(1e6),
    new Option("--roll-bytes <size>", "… or so many bytes of Arrow data")
      .argParser(sizeParser("--roll-bytes"))
      .default(256 * MiB, "256MiB"),
    new Option("--roll-seconds <n>", "… or so long after its first row")
      .argParser(seconds("--roll-seconds"))
      .default(300),
    new Option("-n, --limit <n>", "stop after so many rows; the run of records is still finished").argParser(
      countParser("--limit"),
    ),
  ];
}

function operationOptions(): Option[] {
  return [
    new Option("--config <file>", "options as YAML or JSON, by their long names; `uri` is the argument"),
    new Option("--ops-port <n>", "answer /livez, /readyz and /metrics there; 0 takes a free port").argParser(
      countParser("--ops-port", 0),
    ),
    new Option("--ops-host <address>", "… on this address").default("127.0.0.1"),
    new Option("--log-format <name>", "events on standard error").choices(["text", "json"]).default("text"),
    new Option("--bytes-in-flight <size>", "of records fetched and not yet handed over")
      .argParser(sizeParser("--bytes-in-flight"))
      .default(64 * 2 ** 20, "64MiB"),
    new Option("--drain-seconds <n>", "time for what is open when it has to stop or partitions go")
      .argParser(seconds("--drain-seconds"))
      .default(30),
  ];
}

/** Adds the options of `ConsumeFlags`, but those of the connection and of payloads. */
export function addConsumeOptions(command: Command): Command {
  const reading = [
    new Option("--from <place>", "earliest, latest, an offset or a time, where nothing was read yet")
      .argParser(placeParser("--from <place>"))
      .default("earliest"),
    new Option("--until <place>", "latest (as it is at the start), an offset or a time; else it never ends").argParser(
      placeParser("--until <place>"),
    ),
    new Option("--on-data-loss <what>", "when wanted records are gone from the log")
      .choices(["fail", "earliest", "latest"])
      .default("fail"),
  ];
  for (const option of [...groupOptions(), ...reading, ...outputOptions(), ...operationOptions()]) {
    command.addOption(option);
  }
  return command;
}
