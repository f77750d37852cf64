import {
  type ColumnPath,
  type DecodeOptions,
  type Field,
  type Format,
  OptionsError,
  type Predicate,
  type Select,
} from "@ingest-ts/core";
import { orc } from "./index.ts";
import type { OrcMetadata } from "./metadata.ts";
import type { StripePlan } from "./plan.ts";

/** Hive before 2.0 knew the names of columns itself, and wrote their places. */
const POSITIONAL = /^_col(0|[1-9]\d{0,5})$/;

/**
 * ORC with the column `_colN` called `names[N]`, in what it gives and in what it is asked for. Columns with names of their
 * own keep them, so that old and new files of one table have the same.
 *
 * @throws OptionsError for a name that is empty or given twice; `toSchema` also for a column that has no name, or a name
 *   that the file has already
 */
export function positionalORC(names: readonly string[]): Format<OrcMetadata, StripePlan> {
  if (new Set(names).size !== names.length || names.includes("")) {
    throw new OptionsError("positional names must be different from each other, and not empty", {
      remedy: `These were given: ${names.map((name) => JSON.stringify(name)).join(", ")}.`,
    });
  }
  const inFile = (metadata: OrcMetadata, select: Select): Select => {
    const there = new Set(topNames(metadata));
    const places = new Map(names.map((name, i) => [name, `_col${i}`] as const).filter(([, place]) => there.has(place)));
    return {
      ...select,
      columns: select.columns?.map((path) => pathInFile(path, places)),
      where: select.where === undefined ? undefined : predicateInFile(select.where, places),
    };
  };
  return {
    ...orc,
    toSchema(metadata, select) {
      const { fields, ...rest } = orc.toSchema(metadata, inFile(metadata, select));
      return { ...rest, fields: renamed(fields, names, topNames(metadata)) };
    },
    plan: (metadata, select) => orc.plan(metadata, inFile(metadata, select)),
    decode: (fragment, metadata, options: DecodeOptions) =>
      orc.decode(fragment, metadata, { ...options, select: inFile(metadata, options.select) }),
  };
}

function topNames({ footer }: OrcMetadata): readonly string[] {
  return footer.types[0]?.fieldNames ?? [];
}

function renamed(fields: readonly Field[], names: readonly string[], inFile: readonly string[]): Field[] {
  const own = new Set(inFile.filter((name) => !POSITIONAL.test(name)));
  return fields.map((field) => {
    const place = POSITIONAL.exec(field.name)?.[1];
    if (place === undefined) return field;
    const name = names[Number(place)];
    const where = { column: field.name };
    if (name === undefined) {
      throw new OptionsError(`there are ${names.length} positional names, and a column beyond them`, {
        where,
        remedy: "Name all columns of the file.",
      });
    }
    if (own.has(name))
      throw new OptionsError(`the file has a column "${name}" already`, { where, remedy: "Choose another name." });
    return { ...field, name };
  });
}

/** A path as the file spells it: the exact name wins over its dots, as everywhere. */
function pathInFile(path: ColumnPath, places: ReadonlyMap<string, string>): readonly string[] {
  const exact = typeof path === "string" ? places.get(path) : undefined;
  if (exact !== undefined) return [exact];
  const [first = "", ...below] = typeof path === "string" ? path.split(".") : path;
  const place = places.get(first);
  if (place !== undefined) return [place, ...below];
  return typeof path === "string" ? [path] : path;
}

function predicateInFile(where: Predicate, places: ReadonlyMap<string, string>): Predicate {
  switch (where[0]) {
    case "and":
    case "or":
    case "not": {
      const [operator, ...parts] = where;
      return [operator, ...parts.map((part) => predicateInFile(part, places))] as unknown as Predicate;
    }
    default: {
      const [operator, path, ...rest] = where;
      const inFile = pathInFile(path, places);
      // What the file spells as it is asked for stays as it was, dots and all.
      const kept = inFile.length === 1 && inFile[0] === path;
      return [operator, kept ? path : inFile, ...rest] as unknown as Predicate;
    }
  }
}
