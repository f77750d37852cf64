/**
 * Reads the Arrow schema that Arrow's writers leave in the footer: base64 of an encapsulated IPC message (Arrow columnar
 * format, "Encapsulated message format"; Schema.fbs and Message.fbs, flatbuffers).
 *
 * Only what restores types is read. The bytes are hints of unknown origin, so the walk is bounded in fields and depth, and
 * anything odd gives undefined: the Parquet schema alone is always enough to read the data.
 */

/** Ids of `union Type` in Schema.fbs. */
export const ArrowTypeId = {
  BINARY: 4,
  UTF8: 5,
  DECIMAL: 7,
  DATE: 8,
  TIME: 9,
  TIMESTAMP: 10,
  LIST: 12,
  STRUCT: 13,
  FIXED_SIZE_LIST: 16,
  MAP: 17,
  DURATION: 18,
  LARGE_BINARY: 19,
  LARGE_UTF8: 20,
  LARGE_LIST: 21,
} as const;

/** What an Arrow field says beyond Parquet. Parameters are those of its type, 0 or empty for others. */
export interface ArrowHint {
  readonly name: string;
  /** One of `ArrowTypeId` or another id of Schema.fbs; of a dictionary, the type of its values. */
  readonly typeId: number;
  /** Duration, Time, Timestamp: 0 s, 1 ms, 2 µs, 3 ns. Date: 0 days, 1 ms. */
  readonly unit: number;
  readonly timezone: string;
  readonly listSize: number;
  readonly keysSorted: boolean;
  readonly bitWidth: number;
  readonly children: readonly ArrowHint[];
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** Which unit a type has that does not say it (Schema.fbs). */
const unitDefaults: ReadonlyMap<number, number> = new Map([
  [ArrowTypeId.DATE, 1],
  [ArrowTypeId.TIME, 1],
  [ArrowTypeId.TIMESTAMP, 0],
  [ArrowTypeId.DURATION, 1],
]);

const CONTINUATION = 0xffffffff;
const SCHEMA_HEADER = 1;
const MAX_FIELDS = 200_000;
const MAX_DEPTH = 64;

/** A fault in the hints; never leaves this file. */
class HintError extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A flatbuffers table: fields are found through its vtable. */
class Table {
  readonly #view: DataView;
  readonly #position: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
    this.#vtable = position - view.getInt32(position, true);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
  }

  /** Absolute position of field `slot`, or 0 when absent. */
  #field(slot: number): number {
    const entry = 4 + slot * 2;
    if (entry + 2 > this.#vtableBytes) return 0;
    const offset = this.#view.getUint16(this.#vtable + entry, true);
    return offset === 0 ? 0 : this.#position + offset;
  }

  u8(slot: number): number {
    const at = this.#field(slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  i16(slot: number, missing: number): number {
    const at = this.#field(slot);
    return at === 0 ? missing : this.#view.getInt16(at, true);
  }

  i32(slot: number, missing: number): number {
    const at = this.#field(slot);
    return at === 0 ? missing : this.#view.getInt32(at, true);
  }

  table(slot: number): Table | undefined {
    const at = this.#field(slot);
    return at === 0 ? undefined : new Table(this.#view, at + this.#view.getUint32(at, true));
  }

  string(slot: number): string {
    const at = this.#field(slot);
    if (at === 0) return "";
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    return utf8.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start + 4, length));
  }

  /** @param budget counts down by the number of elements. */
  tables(slot: number, budget: { left: number }): Table[] {
    const at = this.#field(slot);
    if (at === 0) return [];
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    budget.left -= length;
    if (budget.left < 0) throw new HintError("too many fields");
    return Array.from({ length }, (_, i) => {
      const element = start + 4 + i * 4;
      return new Table(this.#view, element + this.#view.getUint32(element, true));
    });
  }
}

/** @returns the fields of the stored schema, or undefined when it cannot be read. */
export function readArrowHints(base64: string): ArrowHint[] | undefined {
  try {
    const text = atob(base64);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const start = view.getUint32(0, true) === CONTINUATION ? 8 : 4;
    const message = new Table(view, start + view.getUint32(start, true));
    if (message.u8(1) !== SCHEMA_HEADER) return undefined;
    const budget = { left: MAX_FIELDS };
    return message
      .table(2)
      ?.tables(1, budget)
      .map((field) => readField(field, budget, 0));
  } catch (error) {
    // Positions outside the buffer are RangeErrors, bad text TypeErrors, bad base64 a DOMException: hints we cannot use.
    if (error instanceof Error || error instanceof DOMException) return undefined;
    throw error;
  }
}

function readField(field: Table, budget: { left: number }, depth: number): ArrowHint {
  if (depth > MAX_DEPTH) throw new HintError("too deep");
  const typeId = field.u8(2);
  const type = field.table(3);
  const metadata: Record<string, string> = {};
  for (const entry of field.tables(6, budget)) {
    Object.defineProperty(metadata, entry.string(0), { value: entry.string(1), enumerable: true, configurable: true });
  }
  return {
    name: field.string(0),
    typeId,
    unit: unitDefaults.has(typeId) ? (type?.i16(0, unitDefaults.get(typeId) ?? 0) ?? 0) : 0,
    timezone: typeId === ArrowTypeId.TIMESTAMP ? (type?.string(1) ?? "") : "",
    listSize: typeId === ArrowTypeId.FIXED_SIZE_LIST ? (type?.i32(0, 0) ?? 0) : 0,
    keysSorted: typeId === ArrowTypeId.MAP && type?.u8(0) === 1,
    bitWidth: typeId === ArrowTypeId.DECIMAL ? (type?.i32(2, 128) ?? 0) : 0,
    children: field.tables(5, budget).map((child) => readField(child, budget, depth + 1)),
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  };
}
