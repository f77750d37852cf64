import { OptionsError } from "@ingest-ts/core";
import { type Command, Option } from "commander";

/** A place in every partition, as `--from` and `--until` write it. */
export type Place = "earliest" | "latest" | { readonly timestampMs: number } | { readonly offset: number };

/** `earliest`, `latest`, an offset, or an ISO 8601 time (without a zone: UTC). @param flags as "--until <place>" @throws OptionsError naming the option */
export function placeParser(flags: string): (text: string) => Place {
  const [name] = flags.split(" ");
  return (text) => {
    if (text === "earliest" || text === "latest") return text;
    const offset = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return { offset };
    const timestampMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(withZone(text)) : Number.NaN;
    if (Number.isSafeInteger(timestampMs)) return { timestampMs };
    throw new OptionsError(`${name} is "${text}"`, {
      remedy: "It is earliest, latest, an offset, or a time like 2026-11-29T12:00:00Z.",
    });
  };
}

function withZone(text: string): string {
  if (!/[T ]/.test(text)) return `${text}T00:00:00Z`;
  return /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`;
}

/** Adds `--from` and `--until`, of topics that are read like files. */
export function addPlaceOptions(command: Command): Command {
  const flags = ["--from <place>", "--until <place>"] as const;
  const options = [
    new Option(flags[0], "earliest (default), an offset or a time").argParser(placeParser(flags[0])),
    new Option(flags[1], "latest (default), an offset or a time").argParser(placeParser(flags[1])),
  ];
  for (const option of options) command.addOption(option.helpGroup("Kafka:"));
  return command;
}
