import { isIngestError, OptionsError, UnsupportedError } from "@ingest-ts/core";
import { defaultBytes } from "./default-bytes.ts";
import { leastBytes } from "./least-bytes.ts";
import type { DatumPlan, ReadPlan } from "./read-plan.ts";
import { canPromote, checkLogical, nameOf, type NameRule, namesMatch } from "./same-types.ts";
import type { AvroField, AvroType } from "./spec.ts";
import { joinPath, type Node } from "./tree.ts";

type RecordType = Extract<AvroType, { kind: "record" }>;

/** Lossless first: the reader's branch of the same name, then of a name that means the same, then one of a wider kind. */
const branchRules: readonly NameRule[] = ["exact", "alias", "promoted"];

/** Compares a writer's schema with the parts of a reader's that are wanted ("Schema Resolution"). */
class Resolver {
  defaultBytes = 0;

  /** @throws OptionsError naming the field when the writer's values cannot be read as the node says */
  resolve(writer: AvroType, node: Node, path: string): ReadPlan {
    if (writer.kind !== "union") return this.#one(writer, node, path);
    const same = node.type === writer;
    let firstError: unknown;
    let isAny = false;
    const branches = writer.branches.map((branch, i): ReadPlan => {
      try {
        const plan = same ? this.#branch(branch, node, i, path) : this.#one(branch, node, path);
        isAny = true;
        return plan;
      } catch (error) {
        if (!isIngestError(error, "INGEST_OPTIONS")) throw error;
        firstError ??= error;
        return { op: "unresolved", message: error.what, path };
      }
    });
    if (!isAny) throw firstError;
    return { op: "union", branches };
  }

  /** `writer` is no union. */
  #one(writer: AvroType, node: Node, path: string): ReadPlan {
    if (writer.kind === "null" && node.nullBranch !== undefined) return { op: "null", node };
    if (node.type.kind !== "union") return this.#value(writer, node, path, "promoted");
    for (const rule of branchRules) {
      for (const [i, child] of node.children.entries()) {
        if (rule !== "promoted" && child.type.kind !== writer.kind) continue;
        try {
          return this.#branch(writer, node, i, path, rule);
        } catch (error) {
          if (!isIngestError(error, "INGEST_OPTIONS")) throw error;
        }
      }
    }
    throw mismatch(writer, node, path);
  }

  #branch(writer: AvroType, node: Node, index: number, path: string, rule: NameRule = "promoted"): ReadPlan {
    const plan = this.#value(writer, node.children[index] as Node, path, rule);
    return { op: "branch", node, index, plan };
  }

  /** Neither is a union. */
  #value(writer: AvroType, node: Node, path: string, rule: NameRule): ReadPlan {
    const reader = node.type;
    if (writer.kind === "recursive" || reader.kind === "recursive") {
      throw new UnsupportedError(`the Avro type "${nameOf(writer)}" is recursive, which Arrow cannot hold`, {
        where: { column: path },
        remedy: "Select other columns.",
      });
    }
    if (writer.kind !== reader.kind) {
      if (rule !== "promoted" || !canPromote(writer, reader)) throw mismatch(writer, node, path);
      checkLogical(writer, reader, path);
      return { op: "value", node, from: writer.kind };
    }
    if (!namesMatch(writer, reader, rule)) throw mismatch(writer, node, path);
    switch (writer.kind) {
      case "record":
        return this.record(writer, node, path);
      case "array": {
        const item = this.resolve(writer.items, node.children[0] as Node, joinPath(path, "item"));
        return { op: "list", node, itemBytes: leastBytes(writer.items), item };
      }
      case "map":
        return {
          op: "map",
          node,
          value: this.resolve(writer.items, node.children[0] as Node, joinPath(path, "value")),
        };
      case "enum":
        return { op: "enum", node, indices: symbolIndices(writer, reader as typeof writer) };
      default:
        checkLogical(writer, reader, path);
        return { op: "value", node, from: writer.kind };
    }
  }

  /** Every field of the writer is read or passed; wanted fields that it has not take their defaults. */
  record(writer: RecordType, node: Node, path: string): ReadPlan {
    const reader = node.type as RecordType;
    const places = fieldPlaces(writer, reader);
    const steps = writer.fields.map((field, i): ReadPlan => {
      const wanted = node.children.find(({ index }) => places[index] === i);
      if (wanted === undefined) return { op: "skip", type: field.type };
      return this.resolve(field.type, wanted, joinPath(path, wanted.name));
    });
    for (const child of node.children) {
      if (places[child.index] !== undefined) continue;
      steps.push(this.#default(reader.fields[child.index] as AvroField, child, joinPath(path, child.name)));
    }
    return { op: "record", node, steps };
  }

  #default(field: AvroField, node: Node, path: string): ReadPlan {
    if (field.default === undefined) {
      throw new OptionsError("the data have no such field, and it has no default", {
        where: { column: path },
        remedy: "Give it a default in the schema to read with, or an alias that names the field of the data.",
      });
    }
    const bytes = defaultBytes(field.default, field.type, path);
    this.defaultBytes += bytes.length;
    return { op: "default", bytes, plan: this.resolve(field.type, node, path) };
  }
}

function mismatch(writer: AvroType, node: Node, path: string): OptionsError {
  const reader = node.type;
  const sameKind = writer.kind === reader.kind && "name" in writer;
  return new OptionsError(`the data's ${nameOf(writer)} cannot be read as ${nameOf(reader)}`, {
    where: { column: path === "" ? node.name : path },
    remedy: sameKind
      ? `Name "${nameOf(writer)}" among the aliases of the type, or give it the same name.`
      : "Change the schema to read with.",
  });
}

/** For each field of the reader, which of the writer's it is: by its name, else by one of its aliases. */
function fieldPlaces(writer: RecordType, reader: RecordType): (number | undefined)[] {
  if (writer === reader) return reader.fields.map((_, i) => i);
  const byName = new Map(writer.fields.map(({ name }, i) => [name, i]));
  const places = reader.fields.map(({ name }) => byName.get(name));
  const taken = new Set(places);
  for (const [i, { aliases = [] }] of reader.fields.entries()) {
    if (places[i] !== undefined) continue;
    const place = aliases.map((alias) => byName.get(alias)).find((at) => at !== undefined && !taken.has(at));
    places[i] = place;
    taken.add(place);
  }
  return places;
}

type EnumType = Extract<AvroType, { kind: "enum" }>;

function symbolIndices(writer: EnumType, reader: EnumType): readonly number[] {
  const fallback = reader.default === undefined ? -1 : reader.symbols.indexOf(reader.default);
  return writer.symbols.map((symbol, i) => {
    if (reader === writer) return i;
    const index = reader.symbols.indexOf(symbol);
    return index < 0 ? fallback : index;
  });
}

/**
 * How datums of `writer` are read as the columns `nodes` of `reader` (the same object when nobody declared another).
 *
 * @throws OptionsError naming the field that cannot be read so; UnsupportedError for recursive columns
 */
export function resolveDatum(writer: AvroType, reader: AvroType, nodes: readonly Node[]): DatumPlan {
  const resolver = new Resolver();
  const skip: ReadPlan = { op: "skip", type: writer };
  const plan = (): ReadPlan => {
    if (reader.kind === "record") {
      const root: Node = { name: reader.name, type: reader, nullBranch: undefined, children: nodes, index: 0 };
      return resolver.resolve(writer, root, "");
    }
    const [value] = nodes;
    return value === undefined ? skip : resolver.resolve(writer, value, value.name);
  };
  return { nodes, plan: plan(), skip, leastBytes: leastBytes(writer), defaultBytes: resolver.defaultBytes };
}

/** How datums of `writer` are read as the one column `node`. @throws as `resolveDatum` */
export function resolveValue(writer: AvroType, node: Node): DatumPlan {
  const resolver = new Resolver();
  const plan = resolver.resolve(writer, node, "");
  const skip: ReadPlan = { op: "skip", type: writer };
  return { nodes: [node], plan, skip, leastBytes: leastBytes(writer), defaultBytes: resolver.defaultBytes };
}
