import {
  Binary,
  Bool,
  type DataType as ArrowType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  Duration,
  Field as ArrowField,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  type Int as ArrowInt,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  Schema as ArrowSchema,
  SparseUnion,
  Struct,
  Time,
  TimeUnit as ArrowTimeUnit,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import type { DataType, Field, Schema, TimeUnit } from "../schema.ts";

const timeUnits: Record<TimeUnit, ArrowTimeUnit> = {
  s: ArrowTimeUnit.SECOND,
  ms: ArrowTimeUnit.MILLISECOND,
  us: ArrowTimeUnit.MICROSECOND,
  ns: ArrowTimeUnit.NANOSECOND,
};

function toArrowInt(bits: 8 | 16 | 32 | 64, signed: boolean): ArrowInt {
  switch (bits) {
    case 8:
      return signed ? new Int8() : new Uint8();
    case 16:
      return signed ? new Int16() : new Uint16();
    case 32:
      return signed ? new Int32() : new Uint32();
    case 64:
      return signed ? new Int64() : new Uint64();
  }
}

/** The apache-arrow type of the same meaning. */
export function toArrowType(type: DataType): ArrowType {
  switch (type.kind) {
    case "null":
      return new Null();
    case "bool":
      return new Bool();
    case "int":
      return toArrowInt(type.bits, type.signed);
    case "float":
      return type.bits === 16 ? new Float16() : type.bits === 32 ? new Float32() : new Float64();
    case "utf8":
      return new Utf8();
    case "largeUtf8":
      return new LargeUtf8();
    case "binary":
      return new Binary();
    case "largeBinary":
      return new LargeBinary();
    case "fixedSizeBinary":
      return new FixedSizeBinary(type.byteWidth);
    case "decimal":
      return new Decimal(type.scale, type.precision, type.bits);
    case "date":
      return type.unit === "day" ? new DateDay() : new DateMillisecond();
    case "time":
      return new Time(timeUnits[type.unit], type.unit === "s" || type.unit === "ms" ? 32 : 64);
    case "timestamp":
      return new Timestamp(timeUnits[type.unit], type.timezone);
    case "duration":
      return new Duration(timeUnits[type.unit]);
    case "interval":
      return type.unit === "yearMonth"
        ? new IntervalYearMonth()
        : type.unit === "dayTime"
          ? new IntervalDayTime()
          : new IntervalMonthDayNano();
    default:
      return toArrowNested(type);
  }
}

function toArrowNested(
  type: Extract<DataType, { kind: "list" | "largeList" | "fixedSizeList" | "map" | "struct" | "union" | "dictionary" }>,
): ArrowType {
  switch (type.kind) {
    case "list":
      return new List(toArrowField(type.child));
    case "largeList":
      return new LargeList(toArrowField(type.child));
    case "fixedSizeList":
      return new FixedSizeList(type.size, toArrowField(type.child));
    case "map":
      return new Map_(
        toArrowField(type.child) as ArrowField<Struct<{ key: ArrowType; value: ArrowType }>>,
        type.keysSorted,
      );
    case "struct":
      return new Struct(type.children.map(toArrowField));
    case "union": {
      const Union = type.mode === "dense" ? DenseUnion : SparseUnion;
      return new Union(Int32Array.from(type.typeIds), type.children.map(toArrowField));
    }
    case "dictionary":
      return new Dictionary(
        toArrowType(type.value),
        toArrowInt(type.index.bits, type.index.signed) as Int32,
        null,
        type.ordered,
      );
  }
}

/** The apache-arrow field of the same meaning; each call gives a dictionary a new id. */
export function toArrowField(field: Field): ArrowField {
  const metadata = field.metadata === undefined ? null : new Map(Object.entries(field.metadata));
  return new ArrowField(field.name, toArrowType(field.type), field.nullable, metadata);
}

/** The apache-arrow schema of the same meaning; each call gives dictionaries new ids, so convert a schema once. */
export function toArrowSchema(schema: Schema): ArrowSchema {
  return new ArrowSchema(schema.fields.map(toArrowField), new Map(Object.entries(schema.metadata)));
}
