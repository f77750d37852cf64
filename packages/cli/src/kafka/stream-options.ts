import { OptionsError } from "@ingest-ts/core";
import type { EndAt, StartAt } from "@ingest-ts/kafka";
import type { KafkaLoadOptions } from "@ingest-ts/loader";
import { type Command, Option } from "commander";
import { countParser } from "../input/order-options.ts";
import { addKafkaOptions, connectionOf } from "./kafka-options.ts";
import { addPayloadOptions, payloadOptionsOf } from "./payload-options.ts";
import { addPlaceOptions, type Place } from "./places.ts";
import type { TopicFlags } from "./topic-rows.ts";

/** What commander hands over for topics that are loaded by sealed windows. */
export interface StreamFlags extends TopicFlags {
  readonly seals?: string;
  readonly sealRows?: number;
  readonly sealSeconds?: number;
}

/** Adds the options of `StreamFlags`. */
export function addStreamOptions(command: Command): Command {
  const options = [
    new Option("--seals <folder>", "where it is kept what each window of a topic holds"),
    new Option("--seal-rows <n>", "rows of a window (default 65536)").argParser(countParser("--seal-rows")),
    new Option("--seal-seconds <n>", "… or so long after its first row (default 60)").argParser(
      countParser("--seal-seconds"),
    ),
  ];
  for (const option of options) command.addOption(option.helpGroup("Kafka:"));
  return addKafkaOptions(addPayloadOptions(addPlaceOptions(command)));
}

/** Of a `kafka://` source. @throws OptionsError, SourceError */
export async function streamOptionsOf(flags: StreamFlags): Promise<KafkaLoadOptions> {
  const { seals, sealRows, sealSeconds, from, until, isolation, expand, badRecords } = flags;
  if (seals === undefined) {
    throw new OptionsError("a topic of Kafka needs --seals", {
      remedy: "Name a folder or s3:// prefix of this run's own: it keeps what each window holds.",
    });
  }
  if (badRecords === "dead-letter" || flags.maxBadRecords !== undefined || flags.maxBadFraction !== undefined) {
    throw new OptionsError("windows leave bad records out, or fail", { remedy: "Use --bad-records skip or fail." });
  }
  const { brokers: _, ...connection } = await connectionOf([], flags, process.env);
  const { keyAs, valueAs } = await payloadOptionsOf(flags, process.env, undefined);
  return {
    connection,
    seals,
    start: from === undefined ? undefined : startOf(from),
    end: until === undefined ? undefined : endOf(until),
    isolation,
    keyAs,
    valueAs,
    expand,
    onPoison: badRecords,
    windowRows: sealRows,
    windowMs: sealSeconds === undefined ? undefined : sealSeconds * 1000,
  };
}

function startOf(place: Place): StartAt {
  if (typeof place === "string" || "timestampMs" in place) return place;
  throw new OptionsError("windows begin at earliest, latest or a time", { remedy: "Say it by --from." });
}

function endOf(place: Place): EndAt {
  if (place === "latest" || (typeof place === "object" && "timestampMs" in place)) return place;
  throw new OptionsError("windows end at latest or a time, or never", { remedy: "Say it by --until." });
}
