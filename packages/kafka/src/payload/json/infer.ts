import type { DataType, Field } from "@ingest-ts/core";
import { type JsonCursor, JsonFault } from "./cursor.ts";

/** What is known of one place in the records: of a number whether integers do, of objects their members. */
type Seen =
  | { readonly kind: "null" | "bool" | "utf8" | "float" }
  | { readonly kind: "int" }
  | { readonly kind: "list"; item: Seen }
  | { readonly kind: "struct"; readonly members: Map<string, Seen> };

const MOST_DEPTH = 64;
const LEAST_INT64 = -(2n ** 63n);
const MOST_INT64 = 2n ** 63n - 1n;

function look(cursor: JsonCursor, depth: number): Seen {
  if (depth > MOST_DEPTH) throw cursor.fault(`values nested more than ${MOST_DEPTH} deep`);
  const kind = cursor.kind();
  switch (kind) {
    case "null":
    case "true":
    case "false":
      cursor.word(kind);
      return { kind: kind === "null" ? "null" : "bool" };
    case "string":
      cursor.string();
      return { kind: "utf8" };
    case "number":
      return lookNumber(cursor);
    case "array": {
      let item: Seen = { kind: "null" };
      cursor.array((index) => (item = within(index, () => unite(item, look(cursor, depth + 1), cursor))));
      return { kind: "list", item };
    }
    case "object": {
      const members = new Map<string, Seen>();
      cursor.object((name) => {
        if (members.has(name)) throw cursor.fault(`the name ${JSON.stringify(name)} comes twice`);
        members.set(
          name,
          within(name, () => look(cursor, depth + 1)),
        );
      });
      return { kind: "struct", members };
    }
  }
}

function lookNumber(cursor: JsonCursor): Seen {
  const text = cursor.number();
  if (!/^-?\d+$/.test(text)) return { kind: "float" };
  const value = BigInt(text);
  if (value >= LEAST_INT64 && value <= MOST_INT64) return { kind: "int" };
  // As a float it would be another number.
  throw cursor.fault("an integer beyond int64; declare a decimal or uint64 for it");
}

function within<T>(name: string | number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JsonFault) error.path.unshift(name);
    throw error;
  }
}

/** The kind that holds both. @throws JsonFault when none does */
function unite(a: Seen, b: Seen, cursor: JsonCursor): Seen {
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (a.kind === "list" && b.kind === "list") return { kind: "list", item: unite(a.item, b.item, cursor) };
  if (a.kind === "struct" && b.kind === "struct") {
    for (const [name, seen] of b.members) {
      const known = a.members.get(name);
      a.members.set(name, known === undefined ? seen : within(name, () => unite(known, seen, cursor)));
    }
    return a;
  }
  if (a.kind === b.kind) return a;
  if ((a.kind === "int" && b.kind === "float") || (a.kind === "float" && b.kind === "int")) return { kind: "float" };
  throw cursor.fault(`${b.kind} here and ${a.kind} in an earlier record; declare the schema`);
}

function typeOf(seen: Seen): DataType {
  switch (seen.kind) {
    case "int":
      return { kind: "int", bits: 64, signed: true };
    case "float":
      return { kind: "float", bits: 64 };
    case "list":
      return { kind: "list", child: fieldOf("item", seen.item) };
    case "struct":
      return { kind: "struct", children: [...seen.members].map(([name, member]) => fieldOf(name, member)) };
    case "null":
      // Nothing but nulls so far: text holds whatever may come, or a fault says that it does not.
      return { kind: "utf8" };
    default:
      return { kind: seen.kind };
  }
}

function fieldOf(name: string, seen: Seen): Field {
  return { name, type: typeOf(seen), nullable: true };
}

/** The narrowest type that holds all values seen: int64, float64, bool, utf8, lists and structs of these; all nullable. */
export class JsonInference {
  #seen: Seen = { kind: "null" };

  /**
   * Adds the value that `cursor` is at. A text that is no JSON, or whose own parts no type holds, is passed over: it will
   * be poison for any schema.
   *
   * @throws JsonFault when a part of it and one of an earlier value have no type in common
   */
  add(cursor: JsonCursor): void {
    let value: Seen;
    try {
      value = look(cursor, 0);
      cursor.finish();
    } catch (error) {
      if (error instanceof JsonFault) return;
      throw error;
    }
    this.#seen = unite(this.#seen, value, cursor);
  }

  /** undefined as long as every value was null, or there was none. */
  get type(): DataType | undefined {
    return this.#seen.kind === "null" ? undefined : typeOf(this.#seen);
  }
}
