import {
  type Column,
  concatColumns,
  type DataType,
  FormatError,
  type IngestError,
  isIngestError,
  type JsonValue,
  OptionsError,
  SourceError,
  takeColumn,
  UnsupportedError,
} from "@ingest-ts/core";
import { createDatumReader, type DatumReader, schemaFingerprint } from "@ingest-ts/readers/avro/datum";
import type { RegisteredSchema } from "../../registry/client.ts";
import { type RegistryOptions, SchemaRegistry } from "../../registry/index.ts";
import type { DecodedValues, PayloadDecoder, PayloadInput, PoisonValue } from "../values.ts";
import {
  fingerprintName,
  type GroupedValues,
  groupByFingerprint,
  groupBySchema,
  type SchemaGroup,
  schemaIdHeaders,
  UNNAMED,
} from "./references.ts";

/** How values are read as Avro. */
export interface AvroPayloadOptions {
  readonly as: "avro";
  /** Where the schemas are that values name, in front of the datum or in a header (Confluent's formats 0 and 1). */
  readonly registry?: SchemaRegistry | RegistryOptions | undefined;
  /** In place of a registry: values are bare datums of this schema, as JSON text. */
  readonly writerSchema?: string | undefined;
  /**
   * In place of a registry: values are in Avro's single-object encoding, each written with one of these schemas (JSON texts)
   * and named by its fingerprint.
   */
  readonly schemas?: readonly string[] | undefined;
  /**
   * What all values are read as, whatever they were written with: JSON text. Default: the newest version of `subject`,
   * else the last of `schemas`, else the schema of the first record. It is fixed then, and new schemas never change the columns.
   */
  readonly readerSchema?: string | undefined;
  /** Schemas that `readerSchema` uses. */
  readonly readerReferences?: readonly string[] | undefined;
  readonly subject?: string | undefined;
}

interface ReaderSchema {
  readonly schema: string;
  readonly references: readonly string[];
}

/** Where the schemas are that values were written with: in one of the three. */
interface SchemaSources {
  readonly registry: SchemaRegistry | undefined;
  readonly bare: string | undefined;
  /** By the names of their fingerprints. */
  readonly declared: ReadonlyMap<string, string> | undefined;
  readonly reader: ReaderSchema;
}

/** Makes the reader of what was written with one schema, once. */
class Readers {
  readonly #registry: SchemaRegistry | undefined;
  readonly #bare: string | undefined;
  readonly #declared: ReadonlyMap<string, string> | undefined;
  readonly #reader: ReaderSchema;
  readonly #made = new Map<string, Promise<DatumReader | IngestError>>();
  /** Those that are ready, so that no one has to wait for them. */
  readonly ready: Map<string, DatumReader | IngestError> = new Map();

  constructor({ registry, bare, declared, reader }: SchemaSources) {
    this.#registry = registry;
    this.#bare = bare;
    this.#declared = declared;
    this.#reader = reader;
  }

  /** @returns an error when its values cannot be read @throws SourceError when the registry cannot be asked */
  async of(schema: string): Promise<DatumReader | IngestError> {
    const making = this.#made.get(schema) ?? this.#make(schema);
    this.#made.set(schema, making);
    try {
      const made = await making;
      // A schema that was not found may be registered later.
      if (made instanceof SourceError) this.#made.delete(schema);
      else this.ready.set(schema, made);
      return made;
    } catch (error) {
      this.#made.delete(schema);
      throw error;
    }
  }

  async #make(schema: string): Promise<DatumReader | IngestError> {
    if (this.#declared !== undefined && !this.#declared.has(schema)) {
      return new FormatError(`no declared schema has the fingerprint ${schema}`, {
        remedy: "Declare the schema that it was written with too.",
      });
    }
    let registered: RegisteredSchema;
    try {
      registered = await this.#registered(schema);
    } catch (error) {
      // Only the registry's own "there is none" says something of the record.
      if (error instanceof SourceError && error.reason === "NotFound") return error;
      throw error;
    }
    if (registered.schemaType !== "AVRO") {
      return new UnsupportedError(`schema ${schema} is of the kind ${registered.schemaType}, not Avro`);
    }
    try {
      return await createDatumReader(registered.schema, {
        references: registered.references,
        readerSchema: this.#reader.schema,
        readerReferences: this.#reader.references,
      });
    } catch (error) {
      if (!isIngestError(error)) throw error;
      const what = `values of schema ${schema} cannot be read: ${error.what}`;
      const detail = { where: error.where, remedy: error.remedy, cause: error };
      return isIngestError(error, "INGEST_UNSUPPORTED")
        ? new UnsupportedError(what, detail)
        : new FormatError(what, detail);
    }
  }

  #registered(schema: string): Promise<RegisteredSchema> {
    const known = this.#bare ?? this.#declared?.get(schema);
    if (known !== undefined) return Promise.resolve({ schemaType: "AVRO", schema: known, references: [] });
    return registeredOf(this.#registry as SchemaRegistry, schema);
  }
}

function registeredOf(registry: SchemaRegistry, schema: string): Promise<RegisteredSchema> {
  return schema.includes("-") && schema.length === 36
    ? registry.schemaByGuid(schema)
    : registry.schemaById(Number(schema));
}

/** The schema to read with, from the options, the registry or the first record. */
async function readerSchemaOf(
  options: AvroPayloadOptions,
  registry: SchemaRegistry | undefined,
  sample: PayloadInput | undefined,
  headerName: string,
): Promise<ReaderSchema> {
  const { readerSchema, readerReferences = [], subject, writerSchema, schemas } = options;
  if (readerSchema !== undefined) return { schema: readerSchema, references: readerReferences };
  if (writerSchema !== undefined) return { schema: writerSchema, references: [] };
  const newest = schemas?.at(-1);
  if (newest !== undefined) return { schema: newest, references: [] };
  if (registry === undefined) throw new OptionsError("Avro values without a schema registry and without a schema");
  if (subject !== undefined) return registry.subject(subject, "latest");
  const groups = sample === undefined ? [] : groupBySchema(sample.values, sample.headers, headerName).groups;
  let refusal: unknown;
  for (const { schema } of groups) {
    try {
      const registered = await registeredOf(registry, schema);
      if (registered.schemaType === "AVRO") return registered;
    } catch (error) {
      if (!(error instanceof SourceError && error.reason === "NotFound")) throw error;
      refusal = error;
    }
  }
  throw new OptionsError("no record names a schema whose columns could be taken", {
    remedy: "Give the schema to read with, or the subject that has it.",
    cause: refusal,
  });
}

/** @throws OptionsError for one that is no schema */
function byFingerprint(schemas: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    schemas.map((schema) => {
      try {
        return [fingerprintName(schemaFingerprint(schema)), schema];
      } catch (error) {
        if (!isIngestError(error)) throw error;
        throw new OptionsError(`a declared schema: ${error.what}`, {
          remedy: "Give Avro schemas as JSON.",
          cause: error,
        });
      }
    }),
  );
}

const bareGroup: SchemaGroup = { schema: "as declared", headerBytes: 0 };

/**
 * Avro values, each with the schema it was written with, read as one schema (Avro's schema resolution), so that the
 * column's type never changes.
 */
export class AvroDecoder implements PayloadDecoder {
  readonly as = "avro";
  readonly type: DataType;
  readonly resolved: JsonValue;
  readonly #readers: Readers;
  readonly #group: (input: PayloadInput) => GroupedValues;
  readonly #empty: DatumReader;

  private constructor(
    empty: DatumReader,
    resolved: JsonValue,
    readers: Readers,
    group: (input: PayloadInput) => GroupedValues,
  ) {
    this.type = empty.field.type;
    this.#empty = empty;
    this.resolved = resolved;
    this.#readers = readers;
    this.#group = group;
  }

  /**
   * @throws OptionsError for a schema to read with that is none, or without any schema; SourceError when the registry
   *   cannot be asked
   */
  static async create(
    options: AvroPayloadOptions,
    side: "key" | "value",
    sample: PayloadInput | undefined,
  ): Promise<AvroDecoder> {
    const { registry: given, writerSchema, schemas } = options;
    if ([given, writerSchema, schemas].filter((one) => one !== undefined).length > 1 || schemas?.length === 0) {
      throw new OptionsError(
        "Avro values are in a registry's framing, bare, or in single-object encoding: one of `registry`, `writerSchema` and `schemas`",
      );
    }
    const registry = given === undefined || given instanceof SchemaRegistry ? given : new SchemaRegistry(given);
    const headerName = schemaIdHeaders[side];
    const reader = await readerSchemaOf(options, registry, sample, headerName);
    const { schema, references } = reader;
    const empty = await createDatumReader(schema, {
      references,
      readerSchema: schema,
      readerReferences: references,
    }).catch((error: unknown) => {
      if (!isIngestError(error, "INGEST_FORMAT")) throw error;
      throw new OptionsError(`the schema to read with: ${error.what}`, { remedy: "Give an Avro schema as JSON." });
    });
    const declared = schemas === undefined ? undefined : byFingerprint(schemas);
    const readers = new Readers({ registry, bare: writerSchema, declared, reader });
    const written = {
      ...(writerSchema === undefined ? {} : { writerSchema }),
      ...(schemas === undefined ? {} : { schemas: [...schemas] }),
    };
    const resolved = { as: "avro", ...written, readerSchema: schema, readerReferences: [...references] };
    const group = ({ values, headers }: PayloadInput): GroupedValues => {
      if (writerSchema !== undefined) return { groups: [bareGroup], groupOf: new Int32Array(values.length) };
      return declared === undefined ? groupBySchema(values, headers, headerName) : groupByFingerprint(values);
    };
    return new AvroDecoder(empty, resolved, readers, group);
  }

  decode(input: PayloadInput): DecodedValues | Promise<DecodedValues> {
    const { values } = input;
    const grouped = this.#group(input);
    const missing = grouped.groups.filter(({ schema }) => !this.#readers.ready.has(schema));
    if (missing.length === 0) return this.#decode(values, grouped, this.#readers.ready);
    return this.#fetchAndDecode(values, grouped);
  }

  async #fetchAndDecode(values: Column, grouped: GroupedValues): Promise<DecodedValues> {
    const schemas = [...new Set(grouped.groups.map(({ schema }) => schema))];
    const made = await Promise.all(schemas.map((schema) => this.#readers.of(schema)));
    return this.#decode(values, grouped, new Map(schemas.map((schema, i) => [schema, made[i] as DatumReader])));
  }

  #decode(
    values: Column,
    { groups, groupOf }: GroupedValues,
    readers: ReadonlyMap<string, DatumReader | IngestError>,
  ): DecodedValues {
    const [only] = groups;
    const reader = only === undefined ? undefined : readers.get(only.schema);
    const isUniform = groups.length === 1 && !groupOf.includes(UNNAMED);
    // Nearly always: all values of one schema, decoded where they lie.
    if (isUniform && reader !== undefined && !isIngestError(reader)) {
      const { headerBytes } = only as SchemaGroup;
      const { column, poison } = reader.decode(values, { headerBytes });
      return { column, poison: poison.map((each) => named(each, only as SchemaGroup)) };
    }
    return this.#decodeMixed(values, { groups, groupOf }, readers);
  }

  /** Each schema's values by themselves, then all in their places. */
  #decodeMixed(
    values: Column,
    { groups, groupOf }: GroupedValues,
    readers: ReadonlyMap<string, DatumReader | IngestError>,
  ): DecodedValues {
    const poison: PoisonValue[] = [];
    // Value 0 of all decoded ones is the null for records without a value.
    const parts: Column[] = [this.#oneNull()];
    const place = new Int32Array(values.length);
    let decoded = 1;
    groups.forEach((group, g) => {
      const indices = indicesOf(groupOf, g);
      const reader = readers.get(group.schema) as DatumReader | IngestError;
      if (isIngestError(reader)) {
        for (const index of indices) poison.push({ index, error: reader });
        return;
      }
      const found = reader.decode(takeColumn(values, indices), { headerBytes: group.headerBytes });
      for (const each of found.poison) {
        poison.push(named({ index: indices[each.index] as number, error: each.error }, group));
      }
      indices.forEach((index, k) => (place[index] = decoded + k));
      decoded += indices.length;
      parts.push(found.column);
    });
    for (const index of indicesOf(groupOf, UNNAMED)) {
      poison.push({ index, error: new FormatError("the bytes name no Avro schema: no id, GUID or fingerprint") });
    }
    poison.sort((a, b) => a.index - b.index);
    return { column: takeColumn(concatColumns(parts), place), poison };
  }

  #oneNull(): Column {
    const one = { length: 1, nullCount: 1, validity: new Uint8Array(1), offsets: new Int32Array(2) };
    const none: Column = { type: { kind: "binary" }, ...one, data: new Uint8Array(0), children: [], dictionary: null };
    return this.#empty.decode(none).column;
  }
}

function named({ index, error }: PoisonValue, { schema }: SchemaGroup): PoisonValue {
  const what = `Avro of schema ${schema}: ${error.what}`;
  const detail = { where: error.where, remedy: error.remedy, cause: error };
  const isUnsupported = isIngestError(error, "INGEST_UNSUPPORTED");
  return { index, error: isUnsupported ? new UnsupportedError(what, detail) : new FormatError(what, detail) };
}

function indicesOf(groupOf: Int32Array, group: number): Int32Array {
  const indices = new Int32Array(groupOf.length);
  let count = 0;
  for (let i = 0; i < groupOf.length; i++) if (groupOf[i] === group) indices[count++] = i;
  return indices.subarray(0, count);
}
