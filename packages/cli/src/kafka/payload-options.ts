import { type DataType, type Field, OptionsError, type Schema } from "@ingest-ts/core";
import type { Transport } from "@ingest-ts/kafka";
import type { PayloadName, PayloadOptions, PayloadReaderOptions } from "@ingest-ts/kafka/payload";
import type { RegistryOptions } from "@ingest-ts/kafka/registry";
import { type Command, Option } from "commander";
import { countParser } from "../input/order-options.ts";
import { readFileText } from "../input/read-text.ts";

/** What commander hands over for how keys and values are read. */
export interface PayloadFlags {
  readonly keyAs?: PayloadName;
  readonly valueAs?: PayloadName;
  readonly keySchema?: string;
  readonly valueSchema?: string;
  readonly avroFraming?: "bare" | "single-object";
  readonly keySubject?: string;
  readonly valueSubject?: string;
  readonly registry?: string;
  readonly expand?: boolean;
  readonly badRecords?: "fail" | "skip" | "dead-letter";
  readonly maxBadRecords?: number;
  readonly maxBadFraction?: number;
  readonly deadLetterTopic?: string;
}

/** Also in `@ingest-ts/kafka/payload`, which is loaded only when records are read; a test compares them. */
const names: readonly PayloadName[] = ["raw", "utf8", "json", "avro", "example", "arrow"];

/** Of the help of every command that decodes payloads. */
export const payloadsHelp = `
Keys and values: raw (binary), utf8, json, avro (ids of a schema registry, or
bare with a schema, or single-object with the schemas that it names: several
files, separated by commas, the last one read as), example (tf.train.Example),
arrow (an IPC stream each). A schema file is an Avro schema, a declaration of
features, or {"fields": […]} as \`ingest schema --json\` prints it; without one,
the first records show the columns; members of JSON objects that the columns do
not have are left out. User and password of the registry are taken from
INGEST_REGISTRY_USERNAME and INGEST_REGISTRY_PASSWORD, a token from
INGEST_REGISTRY_TOKEN.`;

function fractionParser(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value >= 0 && value <= 1) return value;
  throw new OptionsError(`--max-bad-fraction is "${text}"`, { remedy: "It is a number from 0 to 1." });
}

/** Adds the options of `PayloadFlags`. */
export function addPayloadOptions(command: Command): Command {
  const options = [
    new Option("--key-as <how>", "what keys are (default raw)").choices(names),
    new Option("--value-as <how>", "what values are (default raw)").choices(names),
    new Option("--key-schema <file>", "schema of the keys"),
    new Option("--value-schema <file>", "schema of the values"),
    new Option(
      "--avro-framing <name>",
      "of Avro without a registry: a datum, or Avro's single-object encoding",
    ).choices(["bare", "single-object"]),
    new Option("--key-subject <name>", "read keys as the newest schema of this subject"),
    new Option("--value-subject <name>", "read values as the newest schema of this subject"),
    new Option("--registry <urls>", "addresses of the schema registry, separated by commas"),
    new Option("--expand", "fields of the values become columns of their own"),
    new Option("--bad-records <what>", "that cannot be decoded (default fail)").choices([
      "fail",
      "skip",
      "dead-letter",
    ]),
    new Option("--max-bad-records <n>", "more of them are an error").argParser(countParser("--max-bad-records", 0)),
    new Option("--max-bad-fraction <x>", "… or a larger part of a partition (default 0.01 with skip)").argParser(
      fractionParser,
    ),
    new Option("--dead-letter-topic <name>", "where they are written with dead-letter"),
  ];
  for (const option of options) command.addOption(option.helpGroup("Keys and values:"));
  return command;
}

/** Options of a `PayloadReader`; `transport` writes dead letters, where there are any. @throws OptionsError, SourceError */
export async function payloadOptionsOf(
  flags: PayloadFlags,
  env: NodeJS.ProcessEnv,
  transport: Transport | undefined,
): Promise<PayloadReaderOptions> {
  const { badRecords = "fail", deadLetterTopic, maxBadRecords, maxBadFraction, expand } = flags;
  if ((badRecords === "dead-letter") !== (deadLetterTopic !== undefined)) {
    throw new OptionsError("--bad-records dead-letter and --dead-letter-topic belong together", {
      remedy: "Give both, or neither.",
    });
  }
  const registry = registryOf(flags, env);
  const framing = framingOf(flags);
  const { keyAs = "raw", keySchema, keySubject, valueAs = "raw", valueSchema, valueSubject } = flags;
  return {
    keyAs: await sideOf("key", { as: keyAs, schemaPath: keySchema, subject: keySubject, registry, framing }),
    valueAs: await sideOf("value", { as: valueAs, schemaPath: valueSchema, subject: valueSubject, registry, framing }),
    expand,
    onPoison: badRecords === "dead-letter" ? "deadLetter" : badRecords,
    maxBadRecords,
    maxBadFraction,
    deadLetters:
      deadLetterTopic === undefined || transport === undefined ? undefined : { topic: deadLetterTopic, transport },
  };
}

function registryOf({ registry }: PayloadFlags, env: NodeJS.ProcessEnv): RegistryOptions | undefined {
  if (registry === undefined) return undefined;
  const { INGEST_REGISTRY_USERNAME: username, INGEST_REGISTRY_PASSWORD: password, INGEST_REGISTRY_TOKEN: token } = env;
  const auth = token ? { token } : username && password ? { username, password } : undefined;
  return { url: registry.split(","), auth };
}

function framingOf({ avroFraming = "bare", keyAs, valueAs, registry }: PayloadFlags): "bare" | "single-object" {
  if (avroFraming === "bare" || (registry === undefined && (keyAs === "avro" || valueAs === "avro")))
    return avroFraming;
  throw new OptionsError("--avro-framing single-object is of Avro without a registry", {
    remedy: "Give --value-as avro and --value-schema, without --registry.",
  });
}

interface Side {
  readonly as: PayloadName;
  readonly schemaPath: string | undefined;
  readonly subject: string | undefined;
  readonly registry: RegistryOptions | undefined;
  readonly framing: "bare" | "single-object";
}

async function sideOf(
  side: "key" | "value",
  { as, schemaPath, subject, registry, framing }: Side,
): Promise<PayloadOptions> {
  if (subject !== undefined && as !== "avro") {
    throw new OptionsError(`--${side}-subject is for --${side}-as avro`, { remedy: "Leave it out." });
  }
  if (as === "avro" && framing === "single-object" && schemaPath !== undefined) {
    return { as, schemas: await Promise.all(schemaPath.split(",").map(readFileText)) };
  }
  const text = schemaPath === undefined ? undefined : await readFileText(schemaPath);
  switch (as) {
    case "avro":
      if (registry !== undefined) return { as, registry, readerSchema: text, subject };
      if (text !== undefined) return { as, writerSchema: text };
      throw new OptionsError(`--${side}-as avro needs schemas`, {
        remedy: `Give --registry, or --${side}-schema for datums without an id.`,
      });
    case "example":
      return { as, declared: text === undefined ? undefined : (jsonOf(text, schemaPath) as never) };
    case "json":
      return { as, type: text === undefined ? undefined : structOf(text, schemaPath) };
    case "arrow":
      return { as, schema: text === undefined ? undefined : { fields: fieldsOf(text, schemaPath), metadata: {} } };
    default:
      if (text === undefined) return as;
      throw new OptionsError(`--${side}-schema is not for --${side}-as ${as}`, { remedy: "Leave it out." });
  }
}

function jsonOf(text: string, path: string | undefined): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new OptionsError(`the schema is not JSON: ${(cause as Error).message}`, { where: { url: path }, cause });
  }
}

function fieldsOf(text: string, path: string | undefined): readonly Field[] {
  const value = jsonOf(text, path) as Partial<Schema> & { readonly schema?: Partial<Schema> };
  const fields = value.fields ?? value.schema?.fields;
  if (Array.isArray(fields)) return fields as readonly Field[];
  throw new OptionsError("the schema has no fields", {
    where: { url: path },
    remedy: 'Write {"fields": [{"name", "type", "nullable"}, …]}, as `ingest schema --json` prints them.',
  });
}

function structOf(text: string, path: string | undefined): DataType {
  return { kind: "struct", children: fieldsOf(text, path) };
}
