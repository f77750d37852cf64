import { type DataType, type Field, type Schema, UnsupportedError } from "@ingest-ts/core";
import { decimalBytes } from "../columns/decimal-bytes.ts";
import { describeType } from "../describe-type.ts";

/** A schema as JSON (Avro specification, "Schema Declaration"). */
export type AvroJson = string | readonly AvroJson[] | { readonly [key: string]: AvroJson | number };

/** "Names". */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Turns fields into Avro's types. Named types get numbers: Arrow's have no names. */
class SchemaWriter {
  #fixed = 0;
  #records = 0;

  record(fields: readonly Field[], path: readonly string[], name = `struct_${++this.#records}`): AvroJson {
    const seen = new Set<string>();
    const out = fields.map((field): AvroJson => {
      const column = [...path, field.name].join(".");
      if (!NAME.test(field.name)) {
        throw new UnsupportedError(`Avro cannot hold a field of the name ${JSON.stringify(field.name)}`, {
          where: { column },
          remedy: "Names are letters, digits and _, not beginning with a digit: rename the column.",
        });
      }
      if (seen.has(field.name))
        throw new UnsupportedError("two fields of an Avro record have this name", { where: { column } });
      seen.add(field.name);
      return { name: field.name, type: this.field(field, [...path, field.name]) };
    });
    return { type: "record", name, fields: out };
  }

  /** A nullable field is a union with null first. */
  field({ type, nullable }: Field, path: readonly string[]): AvroJson {
    const inner = this.#type(type, path);
    return nullable && inner !== "null" ? ["null", inner] : inner;
  }

  #type(type: DataType, path: readonly string[]): AvroJson {
    switch (type.kind) {
      case "list":
      case "largeList":
      case "fixedSizeList":
        return { type: "array", items: this.field(type.child, [...path, type.child.name]) };
      case "map":
        return this.#map(type, path);
      case "struct":
        return this.record(type.children, path);
      case "dictionary":
        return this.#flat(type.value, path);
      default:
        return this.#flat(type, path);
    }
  }

  /** Avro's keys are text; other maps are arrays of pairs, from which the stored Arrow schema restores them. */
  #map({ child }: Extract<DataType, { kind: "map" }>, path: readonly string[]): AvroJson {
    const [key, value] = child.type.kind === "struct" ? child.type.children : [];
    if (key === undefined || value === undefined) {
      throw new UnsupportedError("Avro cannot hold a map whose entries are not a struct of key and value", {
        where: { column: path.join(".") },
      });
    }
    if (isTextMap(child)) return { type: "map", values: this.field(value, [...path, value.name]) };
    const entries = [
      { name: "key", type: this.field({ ...key, nullable: false }, [...path, key.name]) },
      { name: "value", type: this.field(value, [...path, value.name]) },
    ];
    return { type: "array", items: { type: "record", name: `entry_${++this.#records}`, fields: entries } };
  }

  #fixedOf(size: number, extra: Record<string, string | number> = {}): AvroJson {
    return { type: "fixed", name: `fixed_${++this.#fixed}`, size, ...extra };
  }

  #flat(type: DataType, path: readonly string[]): AvroJson {
    const refuse = (why: string): UnsupportedError =>
      new UnsupportedError(`Avro cannot hold the type ${describeType(type)}: ${why}`, {
        where: { column: path.join(".") },
        remedy: "Leave the column out, or cast it.",
      });
    switch (type.kind) {
      case "null":
        return "null";
      case "bool":
        return "boolean";
      case "int":
        return type.bits < 32 || (type.bits === 32 && type.signed) ? "int" : "long";
      case "float":
        return type.bits === 64 ? "double" : "float";
      case "utf8":
      case "largeUtf8":
        return "string";
      case "binary":
      case "largeBinary":
        return "bytes";
      case "fixedSizeBinary":
        if (type.byteWidth < 1) throw refuse("its values have no bytes");
        return this.#fixedOf(type.byteWidth);
      case "decimal": {
        const { precision, scale } = type;
        if (scale < 0 || scale > precision) throw refuse("the scale must lie between 0 and the precision");
        if (precision < 1 || precision > (type.bits === 128 ? 38 : 76)) throw refuse("its precision is invalid");
        return this.#fixedOf(decimalBytes(precision), { logicalType: "decimal", precision, scale });
      }
      case "interval":
        if (type.unit !== "monthDayNano") throw refuse("only months, days and time together have an equal");
        return this.#fixedOf(12, { logicalType: "duration" });
      default:
        return timeOf(type) ?? raise(refuse("there is no such Avro type"));
    }
  }
}

function raise(error: Error): never {
  throw error;
}

/** "Logical Types"; units that Avro lacks are stored in the next finer one, or as plain numbers. */
function timeOf(type: DataType): AvroJson | undefined {
  switch (type.kind) {
    case "date":
      return { type: "int", logicalType: "date" };
    case "time":
      if (type.unit === "ns") return "long";
      return type.unit === "us"
        ? { type: "long", logicalType: "time-micros" }
        : { type: "int", logicalType: "time-millis" };
    case "timestamp": {
      const unit = { s: "millis", ms: "millis", us: "micros", ns: "nanos" }[type.unit];
      const local = type.timezone === null || type.timezone === "" ? "local-" : "";
      return { type: "long", logicalType: `${local}timestamp-${unit}` };
    }
    case "duration":
      return "long";
    default:
      return undefined;
  }
}

/** Whether the entries of a map have Avro's keys. */
function isTextMap(entries: Field): boolean {
  const key = entries.type.kind === "struct" ? entries.type.children[0] : undefined;
  return key?.type.kind === "utf8" || key?.type.kind === "largeUtf8";
}

/** The schema of an object container file for rows of `schema`. @throws UnsupportedError naming column and type. */
export function avroSchema(schema: Schema): AvroJson {
  return new SchemaWriter().record(schema.fields, [], "row");
}
