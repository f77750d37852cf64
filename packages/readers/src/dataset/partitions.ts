import { type Column, type DataType, type Field, OptionsError, publicUrl } from "@ingest-ts/core";

/** What a folder called `name=value` says; null for `__HIVE_DEFAULT_PARTITION__`. */
export interface PartitionValue {
  readonly name: string;
  readonly value: string | null;
}

interface Partitioned {
  readonly url: string;
  readonly partitions: readonly PartitionValue[];
}

const NULL_VALUE = "__HIVE_DEFAULT_PARTITION__";
const MIN_INT64: bigint = -(2n ** 63n);
const MAX_INT64: bigint = 2n ** 63n - 1n;
const DAY_MS = 86_400_000;

/** The values in the folders of `name`, a file's path below its root. @throws OptionsError when one is not UTF-8. */
export function partitionsOf(name: string, url: string): PartitionValue[] {
  const folders = name.split("/").slice(0, -1);
  const found: PartitionValue[] = [];
  for (const folder of folders) {
    const at = folder.indexOf("=");
    if (at <= 0) continue;
    const text = folder.slice(at + 1);
    found.push({ name: decoded(folder.slice(0, at), url), value: text === NULL_VALUE ? null : decoded(text, url) });
  }
  return found;
}

/** Undoes percent-encoding; a `%` that begins no byte stays as it is. */
function decoded(text: string, url: string): string {
  try {
    return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
  } catch (cause) {
    throw new OptionsError(`the folder name "${text}" is not percent-encoded UTF-8`, {
      where: { url: publicUrl(url) },
      remedy: "Rename the folder.",
      cause,
    });
  }
}

/**
 * Every file must lie below folders of the same names, in the same order.
 *
 * @throws OptionsError naming the first file that does not
 */
export function checkPartitions(files: readonly Partitioned[]): void {
  const [first] = files;
  if (first === undefined) return;
  const expected = first.partitions.map(({ name }) => name);
  for (const { url, partitions } of files) {
    const names = partitions.map(({ name }) => name);
    if (new Set(names).size !== names.length) {
      throw new OptionsError(`the folders name "${names.join("/")}", one of them twice`, {
        where: { url: publicUrl(url) },
        remedy: noPartitions,
      });
    }
    if (names.length === expected.length && names.every((name, i) => name === expected[i])) continue;
    throw new OptionsError(`its folders are ${shown(names)}, those of ${publicUrl(first.url)} are ${shown(expected)}`, {
      where: { url: publicUrl(url) },
      remedy: noPartitions,
    });
  }
}

const noPartitions =
  'Read folders of one scheme at a time, or folders as they are (partitions: "none", --no-partitions).';

function shown(names: readonly string[]): string {
  return names.length === 0 ? "no partition folders" : names.map((name) => `${name}=…`).join("/");
}

/**
 * The columns that partition folders make, decided over all files: int64 when every value is one, else date32 when every
 * value is yyyy-mm-dd, else utf8. Always nullable.
 */
export function partitionFields({ files }: { readonly files: readonly Partitioned[] }): Field[] {
  return (files[0]?.partitions ?? []).map(({ name }, i) => {
    const values = new Set(files.map(({ partitions }) => partitions[i]?.value ?? null));
    values.delete(null);
    return { name, type: typeOf([...values] as string[]), nullable: true };
  });
}

function typeOf(values: readonly string[]): DataType {
  if (values.length > 0 && values.every(isInt64)) return { kind: "int", bits: 64, signed: true };
  if (values.length > 0 && values.every((value) => daysOf(value) !== undefined)) return { kind: "date", unit: "day" };
  return { kind: "utf8" };
}

function isInt64(text: string): boolean {
  if (!/^-?\d{1,19}$/.test(text)) return false;
  const value = BigInt(text);
  return value >= MIN_INT64 && value <= MAX_INT64;
}

/** Days since 1970 of yyyy-mm-dd, when there is such a day. */
function daysOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms / DAY_MS;
}

/** `rows` times the value that a file's folder has for `field`. */
export function partitionColumn(field: Field, { value }: PartitionValue, rows: number): Column {
  const { type } = field;
  const none = { type, length: rows, children: [], dictionary: null, offsets: null };
  const nulls =
    value === null
      ? { nullCount: rows, validity: rows === 0 ? null : new Uint8Array((rows + 7) >> 3) }
      : { nullCount: 0, validity: null };
  if (type.kind === "int") {
    const data = new BigInt64Array(rows).fill(BigInt(value ?? 0));
    return { ...none, ...nulls, data: new Uint8Array(data.buffer) };
  }
  if (type.kind === "date") {
    const data = new Int32Array(rows).fill(value === null ? 0 : (daysOf(value) as number));
    return { ...none, ...nulls, data: new Uint8Array(data.buffer) };
  }
  const bytes = new TextEncoder().encode(value ?? "");
  const data = new Uint8Array(bytes.length * rows);
  data.set(bytes.subarray(0, data.length));
  // Each copy doubles what is there.
  for (let done = bytes.length; done > 0 && done < data.length; done *= 2) data.copyWithin(done, 0, done);
  return { ...none, ...nulls, offsets: Int32Array.from({ length: rows + 1 }, (_, i) => i * bytes.length), data };
}
