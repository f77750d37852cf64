import {
  type DataType as ArrowType,
  type Field as ArrowField,
  type Schema as ArrowSchema,
  DateUnit,
  IntervalUnit,
  Precision,
  TimeUnit as ArrowTimeUnit,
  Type,
  UnionMode,
} from "apache-arrow";
import * as arrow from "apache-arrow";
import { UnsupportedError } from "../errors.ts";
import type { DataType, Field, Schema, TimeUnit } from "../schema.ts";

function unitOf(unit: ArrowTimeUnit): TimeUnit {
  switch (unit) {
    case ArrowTimeUnit.SECOND:
      return "s";
    case ArrowTimeUnit.MILLISECOND:
      return "ms";
    case ArrowTimeUnit.MICROSECOND:
      return "us";
    case ArrowTimeUnit.NANOSECOND:
      return "ns";
  }
}

type IntType = Extract<DataType, { kind: "int" }>;

function intOf(type: arrow.Int): IntType {
  return { kind: "int", bits: type.bitWidth, signed: type.isSigned };
}

/** @throws UnsupportedError for types that `Column` cannot carry (views). */
export function fromArrowType(type: ArrowType): DataType {
  switch (type.typeId) {
    case Type.Null:
      return { kind: "null" };
    case Type.Bool:
      return { kind: "bool" };
    case Type.Int:
      return intOf(type as arrow.Int);
    case Type.Float: {
      const { precision } = type as arrow.Float;
      return { kind: "float", bits: precision === Precision.HALF ? 16 : precision === Precision.SINGLE ? 32 : 64 };
    }
    case Type.Utf8:
      return { kind: "utf8" };
    case Type.LargeUtf8:
      return { kind: "largeUtf8" };
    case Type.Binary:
      return { kind: "binary" };
    case Type.LargeBinary:
      return { kind: "largeBinary" };
    case Type.FixedSizeBinary:
      return { kind: "fixedSizeBinary", byteWidth: (type as arrow.FixedSizeBinary).byteWidth };
    case Type.Decimal: {
      const decimal = type as arrow.Decimal;
      return {
        kind: "decimal",
        bits: decimal.bitWidth === 256 ? 256 : 128,
        precision: decimal.precision,
        scale: decimal.scale,
      };
    }
    case Type.Date:
      return { kind: "date", unit: (type as arrow.Date_).unit === DateUnit.DAY ? "day" : "ms" };
    case Type.Time:
      return { kind: "time", unit: unitOf((type as arrow.Time).unit) };
    case Type.Timestamp: {
      const timestamp = type as arrow.Timestamp;
      return { kind: "timestamp", unit: unitOf(timestamp.unit), timezone: timestamp.timezone ?? null };
    }
    case Type.Duration:
      return { kind: "duration", unit: unitOf((type as arrow.Duration).unit) };
    case Type.Interval: {
      const { unit } = type as arrow.Interval;
      return {
        kind: "interval",
        unit:
          unit === IntervalUnit.YEAR_MONTH ? "yearMonth" : unit === IntervalUnit.DAY_TIME ? "dayTime" : "monthDayNano",
      };
    }
    default:
      return fromArrowNested(type);
  }
}

function fromArrowNested(type: ArrowType): DataType {
  const child = (): Field => fromArrowField((type.children as ArrowField[])[0] as ArrowField);
  switch (type.typeId) {
    case Type.List:
      return { kind: "list", child: child() };
    case Type.LargeList:
      return { kind: "largeList", child: child() };
    case Type.FixedSizeList:
      return { kind: "fixedSizeList", size: (type as arrow.FixedSizeList).listSize, child: child() };
    case Type.Map:
      return { kind: "map", keysSorted: (type as arrow.Map_).keysSorted, child: child() };
    case Type.Struct:
      return { kind: "struct", children: (type.children as ArrowField[]).map(fromArrowField) };
    case Type.Union: {
      const union = type as arrow.Union;
      return {
        kind: "union",
        mode: union.mode === UnionMode.Dense ? "dense" : "sparse",
        typeIds: Array.from(union.typeIds),
        children: union.children.map(fromArrowField),
      };
    }
    case Type.Dictionary: {
      const dictionary = type as arrow.Dictionary;
      return {
        kind: "dictionary",
        index: intOf(dictionary.indices),
        value: fromArrowType(dictionary.dictionary),
        ordered: dictionary.isOrdered,
      };
    }
    default:
      throw new UnsupportedError(`Arrow type ${Type[type.typeId]} is not supported`, {
        remedy: "Cast the column to its plain (not view, not run-end encoded) type.",
      });
  }
}

/** The field of the same meaning. @throws UnsupportedError for an Arrow type that columns cannot hold. */
export function fromArrowField(field: ArrowField): Field {
  const base = { name: field.name, type: fromArrowType(field.type), nullable: field.nullable };
  return field.metadata.size === 0 ? base : { ...base, metadata: Object.fromEntries(field.metadata) };
}

/** The schema of the same meaning, metadata included. @throws UnsupportedError as for its fields. */
export function fromArrowSchema(schema: ArrowSchema): Schema {
  return { fields: schema.fields.map(fromArrowField), metadata: Object.fromEntries(schema.metadata) };
}
