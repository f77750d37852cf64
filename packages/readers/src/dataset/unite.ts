import {
  childFields,
  type DataType,
  type Field,
  OptionsError,
  publicUrl,
  type Schema,
  typeText,
} from "@ingest-ts/core";
import { uniteField } from "./unite-types.ts";

/** Of a type in a message. */
const LONGEST_TYPE = 300;

/** A file's name and the schema that it has by itself. */
export interface NamedSchema {
  readonly name: string;
  readonly schema: Schema;
}

/** One way in which files differ from the schema of all. */
export interface SchemaDifference {
  readonly column: string;
  /** "order": the file's columns come in another order than the united ones. */
  readonly kind: "missing" | "type" | "nullability" | "order";
  /** The file's type, and that of all; undefined where the column is missing, or for an order. */
  readonly type: DataType | undefined;
  readonly united: DataType | undefined;
  /** Names of the files, in order. */
  readonly files: readonly string[];
}

export interface UnitedSchema {
  /** Columns of the first file, then those that only later ones have. Metadata is the first file's. */
  readonly schema: Schema;
  readonly differences: readonly SchemaDifference[];
}

export interface UniteOptions {
  /** Refuse every difference: columns, order, types, nullability. */
  readonly strict?: boolean | undefined;
  /** The folder that the names lie below, for errors. Default: names are URLs. */
  readonly root?: string | undefined;
}

function urlBelow(root: string | undefined, name: string): string {
  return publicUrl(root === undefined || root === "." ? name : `${root === "/" ? "" : root}/${name}`);
}

/**
 * One schema for all files, by column name. Types are widened only where every value stays what it is; a column that a
 * file lacks is null there.
 *
 * @throws OptionsError naming two files, the column and both types when they cannot be united, or differ and may not
 */
export function uniteSchemas(files: readonly NamedSchema[], options: UniteOptions = {}): UnitedSchema {
  const [first] = files;
  if (first === undefined) return { schema: { fields: [], metadata: {} }, differences: [] };
  const { root, strict } = options;
  const groups = groupBySchema(files);
  let united = startOf(first.schema, urlBelow(root, first.name));
  for (const { schema, names } of groups.slice(1)) united = add(united, schema, urlBelow(root, names[0] as string));
  const schema = { ...first.schema, fields: united.map(({ field }) => field) };
  const differences = differencesOf(schema, groups);
  if (strict === true) refuseDifferences(groups, (name) => urlBelow(root, name));
  return { schema, differences };
}

interface Group {
  readonly schema: Schema;
  readonly names: string[];
}

/** Most data sets have one schema, and thousands of files. */
function groupBySchema(files: readonly NamedSchema[]): Group[] {
  const groups = new Map<string, Group>();
  const keys = new Map<Schema, string>();
  for (const { name, schema } of files) {
    const key = keys.get(schema) ?? JSON.stringify(schema.fields);
    keys.set(schema, key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { schema, names: [name] });
    else group.names.push(name);
  }
  return [...groups.values()];
}

interface Origin {
  readonly field: Field;
  /** URL of the file that the column, or its type, came from. */
  readonly from: string;
}

function startOf({ fields }: Schema, url: string): Origin[] {
  return fields.map((field) => ({ field, from: url }));
}

function checkTwins(fields: readonly Field[], url: string): void {
  const seen = new Set<string>();
  for (const field of fields) {
    if (!seen.has(field.name)) seen.add(field.name);
    else {
      throw new OptionsError(`two columns of one name cannot be united with those of other files`, {
        where: { url, column: field.name },
        remedy: "Read the file by itself.",
      });
    }
  }
}

function add(origins: readonly Origin[], schema: Schema, url: string): Origin[] {
  checkTwins(
    origins.map(({ field }) => field),
    origins[0]?.from ?? url,
  );
  checkTwins(schema.fields, url);
  const others = new Map(schema.fields.map((field) => [field.name, field]));
  const out = origins.map((origin): Origin => {
    const other = others.get(origin.field.name);
    if (other === undefined) return { ...origin, field: { ...origin.field, nullable: true } };
    others.delete(other.name);
    const field = uniteField(origin.field, other);
    if (field === undefined) throw conflict(origin, other, url);
    const same = JSON.stringify(field.type) === JSON.stringify(origin.field.type);
    return { field, from: same ? origin.from : url };
  });
  for (const field of others.values()) out.push({ field: { ...field, nullable: true }, from: url });
  return out;
}

const remedy = "Write one of the files again, read them apart, or leave the column out (columns, --columns).";

/** Spark has three encodings of its one timestamp, of which INT96 does not say that it is an instant. */
function zoneRemedy(a: DataType, b: DataType): string | undefined {
  if (a.kind !== "timestamp" || b.kind !== "timestamp" || (a.timezone === null) === (b.timezone === null))
    return undefined;
  return `If INT96 timestamps of Parquet are meant, which are instants to Spark, read them as such: int96 "utc", --int96 utc.`;
}

function conflict({ field, from }: Origin, other: Field, url: string): OptionsError {
  return new OptionsError(
    `the column is ${fieldText(other)} here and ${fieldText(field)} in ${from}: no type holds both without loss`,
    {
      where: { url, column: field.name },
      remedy: zoneRemedy(field.type, other.type) ?? remedy,
    },
  );
}

function fieldText({ type, metadata }: Field): string {
  const extension = metadata?.["ARROW:extension:name"];
  const text = typeText(type);
  const shown = text.length > LONGEST_TYPE ? `${text.slice(0, LONGEST_TYPE)}…` : text;
  return extension === undefined ? shown : `${shown} (${extension})`;
}

/** A type as text, without the names that formats give to the items of lists and maps, which say nothing. */
function shapeOf(type: DataType, withNulls: boolean): string {
  const named = type.kind === "struct" || type.kind === "union";
  const below = childFields(type).map((child) => {
    const shape = `${named ? JSON.stringify(child.name) : ""}${shapeOf(child.type, withNulls)}`;
    return withNulls && child.nullable ? `${shape}?` : shape;
  });
  if (type.kind === "map")
    return `map ${type.keysSorted} ${childFields(type)
      .flatMap((e) => childFields(e.type))
      .map((f) => shapeOf(f.type, withNulls) + (withNulls && f.nullable))
      .join()}`;
  return `${JSON.stringify({ ...type, child: undefined, children: undefined })}[${below.join()}]`;
}

type Found = Omit<SchemaDifference, "files">;

/** What sets one schema apart from the united one. */
function differencesOfOne(united: Schema, { fields }: Schema): Found[] {
  const own = new Map(fields.map((field) => [field.name, field]));
  const found: Found[] = [];
  for (const { name, type, nullable } of united.fields) {
    const field = own.get(name);
    if (field === undefined) found.push({ column: name, kind: "missing", type: undefined, united: type });
    else if (shapeOf(field.type, false) !== shapeOf(type, false)) {
      found.push({ column: name, kind: "type", type: field.type, united: type });
    } else if (field.nullable !== nullable || shapeOf(field.type, true) !== shapeOf(type, true))
      found.push({ column: name, kind: "nullability", type, united: type });
  }
  const order = united.fields.map(({ name }) => name).filter((name) => own.has(name));
  const moved = fields.find(({ name }, i) => order[i] !== name);
  if (moved !== undefined) found.push({ column: moved.name, kind: "order", type: undefined, united: undefined });
  return found;
}

function differencesOf(united: Schema, groups: readonly Group[]): SchemaDifference[] {
  const all = new Map<string, Found & { files: string[] }>();
  for (const { schema, names } of groups) {
    for (const found of differencesOfOne(united, schema)) {
      // A column that is non-null here and missing there is told once, as missing.
      const key = JSON.stringify(found);
      const entry = all.get(key) ?? { ...found, files: [] };
      all.set(key, entry);
      for (const name of names) entry.files.push(name);
    }
  }
  return [...all.values()];
}

function refuseDifferences([first, ...others]: readonly Group[], urlOf: (name: string) => string): void {
  if (first === undefined) return;
  for (const other of others) {
    const [found] = differencesOfOne(first.schema, other.schema);
    const extra = other.schema.fields.find((field) => first.schema.fields.every((own) => own.name !== field.name));
    const column = found?.column ?? extra?.name;
    if (column !== undefined) throw different(column, found?.kind === "order", [first, other], urlOf);
  }
}

function different(
  column: string,
  order: boolean,
  [first, other]: readonly [Group, Group],
  urlOf: (name: string) => string,
): OptionsError {
  const one = (schema: Schema): string => {
    const field = schema.fields.find((each) => each.name === column);
    return field === undefined ? "no such column" : `${fieldText(field)}${field.nullable ? "" : ", not null"}`;
  };
  const what = order ? "columns come in another order" : `${one(other.schema)} here, ${one(first.schema)}`;
  return new OptionsError(`schemas differ: ${what} in ${urlOf(first.names[0] as string)}`, {
    where: { url: urlOf(other.names[0] as string), column },
    remedy: "Without strictSchema (--strict-schema) types are widened and missing columns are null.",
  });
}

/**
 * The columns of a data set: those of its files, then those of its partition folders.
 *
 * @throws OptionsError when a folder and a column have the same name
 */
export function datasetSchema(united: Schema, partitions: readonly Field[], url: string): Schema {
  for (const { name } of partitions) {
    if (united.fields.every((field) => field.name !== name)) continue;
    throw new OptionsError("the file has a column of the name that a partition folder has", {
      where: { url: publicUrl(url), column: name },
      remedy: 'Read the folders as they are (partitions: "none", --no-partitions): the files hold the column.',
    });
  }
  return { ...united, fields: [...united.fields, ...partitions] };
}
