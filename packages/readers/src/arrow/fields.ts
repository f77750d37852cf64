import {
  checkLimit,
  type DataType,
  type Field,
  FormatError,
  type Limits,
  type Schema,
  type TimeUnit,
  UnsupportedError,
} from "@ingest-ts/core";
import type { Table } from "./flatbuffer.ts";
import { TypeId, unsupportedTypes } from "./spec.ts";

/** A schema whose dictionary types are dictionaries, and where their values are found. */
export interface ArrowFields {
  readonly schema: Schema;
  /** Ids of the dictionary-encoded fields, depth first. */
  readonly dictionaryIds: readonly number[];
}

const timeUnits: readonly TimeUnit[] = ["s", "ms", "us", "ns"];
const intervalUnits = ["yearMonth", "dayTime", "monthDayNano"] as const;

function pick<T>(values: readonly T[], index: number, what: string): T {
  const value = values[index];
  if (value === undefined) throw new FormatError(`${what} ${index} does not exist`);
  return value;
}

function intType(table: Table | undefined): Extract<DataType, { kind: "int" }> {
  const bits = table?.int32(0) ?? 32;
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) throw new FormatError(`an integer of ${bits} bits`);
  return { kind: "int", bits, signed: table === undefined || table.uint8(1) !== 0 };
}

class FieldReader {
  readonly #limits: Limits;
  readonly #dictionaryIds: number[] = [];
  #count = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  read(root: Table): ArrowFields {
    if (root.int16(0) !== 0) throw new UnsupportedError("big-endian Arrow data is not supported");
    const fields = root.tables(1).map((table) => this.#field(table, 1));
    return { schema: { fields, metadata: keyValues(root.tables(2)) ?? {} }, dictionaryIds: this.#dictionaryIds };
  }

  #field(table: Table, depth: number): Field {
    checkLimit(this.#limits, "columns", ++this.#count, "a number of fields");
    checkLimit(this.#limits, "depth", depth, "a nesting");
    const dictionary = table.table(4);
    if (dictionary !== undefined) this.#dictionaryIds.push(dictionary.size(0));
    const children = table.tables(5);
    const value = this.#type(table, children, depth);
    const index = dictionary === undefined ? undefined : intType(dictionary.table(1));
    const type: DataType =
      index === undefined || dictionary === undefined
        ? value
        : { kind: "dictionary", index, value, ordered: dictionary.uint8(2) !== 0 };
    const metadata = keyValues(table.tables(6));
    const field = { name: table.text(0) ?? "", type, nullable: table.uint8(1) !== 0 };
    return metadata === undefined ? field : { ...field, metadata };
  }

  #type(field: Table, children: readonly Table[], depth: number): DataType {
    const id = field.uint8(2);
    const type = field.table(3);
    if (type === undefined) throw new FormatError("a field has no type");
    switch (id) {
      case TypeId.LIST:
        return { kind: "list", child: this.#only(children, depth) };
      case TypeId.LARGE_LIST:
        return { kind: "largeList", child: this.#only(children, depth) };
      case TypeId.FIXED_SIZE_LIST: {
        const size = type.int32(0);
        if (size < 0) throw new FormatError(`a list of ${size} items`);
        return { kind: "fixedSizeList", size, child: this.#only(children, depth) };
      }
      case TypeId.MAP: {
        const child = this.#only(children, depth);
        if (child.type.kind !== "struct" || child.type.children.length !== 2)
          throw new FormatError("a map whose entries are not pairs");
        return { kind: "map", keysSorted: type.uint8(0) !== 0, child };
      }
      case TypeId.STRUCT:
        return { kind: "struct", children: children.map((child) => this.#field(child, depth + 1)) };
      case TypeId.UNION: {
        const fields = children.map((child) => this.#field(child, depth + 1));
        const typeIds = type.has(1) ? type.int32s(1) : fields.map((_, i) => i);
        if (typeIds.length !== fields.length || typeIds.some((each) => each < 0 || each > 127))
          throw new FormatError(`union type ids ${typeIds.slice(0, 20).join(", ")} for ${fields.length} children`);
        return { kind: "union", mode: type.int16(0) === 1 ? "dense" : "sparse", typeIds, children: fields };
      }
      default:
        return flatType(id, type);
    }
  }

  #only(children: readonly Table[], depth: number): Field {
    const [child] = children;
    if (child === undefined || children.length !== 1) throw new FormatError(`a list of ${children.length} item types`);
    return this.#field(child, depth + 1);
  }
}

function flatType(id: number, type: Table): DataType {
  switch (id) {
    case TypeId.NULL:
      return { kind: "null" };
    case TypeId.INT:
      return intType(type);
    case TypeId.FLOAT:
      return { kind: "float", bits: pick([16, 32, 64] as const, type.int16(0), "floating-point precision") };
    case TypeId.BINARY:
      return { kind: "binary" };
    case TypeId.UTF8:
      return { kind: "utf8" };
    case TypeId.LARGE_BINARY:
      return { kind: "largeBinary" };
    case TypeId.LARGE_UTF8:
      return { kind: "largeUtf8" };
    case TypeId.BOOL:
      return { kind: "bool" };
    case TypeId.FIXED_SIZE_BINARY: {
      const byteWidth = type.int32(0);
      if (byteWidth < 0) throw new FormatError(`binary values of ${byteWidth} bytes`);
      return { kind: "fixedSizeBinary", byteWidth };
    }
    default:
      return numericType(id, type);
  }
}

function numericType(id: number, type: Table): DataType {
  switch (id) {
    case TypeId.DECIMAL: {
      const [precision, scale, bits] = [type.int32(0), type.int32(1), type.int32(2, 128)];
      if (bits === 32 || bits === 64) throw new UnsupportedError(`Arrow type Decimal${bits} is not supported`);
      if (bits !== 128 && bits !== 256) throw new FormatError(`a decimal of ${bits} bits`);
      if (precision < 1 || precision > (bits === 128 ? 38 : 76) || Math.abs(scale) > 1000)
        throw new FormatError(`a decimal${bits} of precision ${precision} and scale ${scale}`);
      return { kind: "decimal", bits, precision, scale };
    }
    case TypeId.DATE:
      return { kind: "date", unit: pick(["day", "ms"] as const, type.int16(0, 1), "date unit") };
    case TypeId.TIME: {
      const unit = pick(timeUnits, type.int16(0, 1), "time unit");
      const bits = type.int32(1, 32);
      if (bits !== (unit === "s" || unit === "ms" ? 32 : 64)) throw new FormatError(`a time[${unit}] of ${bits} bits`);
      return { kind: "time", unit };
    }
    case TypeId.TIMESTAMP: {
      const timezone = type.text(1) ?? "";
      return {
        kind: "timestamp",
        unit: pick(timeUnits, type.int16(0), "time unit"),
        timezone: timezone === "" ? null : timezone,
      };
    }
    case TypeId.DURATION:
      return { kind: "duration", unit: pick(timeUnits, type.int16(0, 1), "time unit") };
    case TypeId.INTERVAL:
      return { kind: "interval", unit: pick(intervalUnits, type.int16(0), "interval unit") };
    default: {
      const name = unsupportedTypes[id];
      if (name === undefined) throw new FormatError(`type ${id} does not exist`);
      throw new UnsupportedError(`Arrow type ${name} is not supported`, {
        remedy: "Cast the column to its plain (not view, not run-end encoded) type.",
      });
    }
  }
}

function keyValues(tables: readonly Table[]): Record<string, string> | undefined {
  if (tables.length === 0) return undefined;
  return Object.fromEntries(tables.map((table) => [table.text(0) ?? "", table.text(1) ?? ""]));
}

/** A Schema table as our schema. @throws FormatError, UnsupportedError, RangeError (see `readFlatbuffer`). */
export function readFields(root: Table, limits: Limits): ArrowFields {
  return new FieldReader(limits).read(root);
}
