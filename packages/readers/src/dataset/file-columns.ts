import { childFields, type DataType, type Field, type Schema } from "@ingest-ts/core";

/** Paths of what a file has of the columns of `wanted`, matched by name; what it lacks is left out. */
export function columnsOfFile(wanted: Schema, own: Schema): string[][] {
  return wanted.fields.flatMap((field) => {
    const found = own.fields.find(({ name }) => name === field.name);
    return found === undefined ? [] : pathsBelow(field.type, found, [found.name]);
  });
}

function pathsBelow(wanted: DataType, own: Field, path: readonly string[]): string[][] {
  const whole = [[...path]];
  if (wanted.kind === "struct" && own.type.kind === "struct") {
    const pairs = wanted.children.map((child) => [child, childNamed(own.type, child.name)] as const);
    const below = pairs.flatMap(([child, found]) =>
      found === undefined ? [] : pathsBelow(child.type, found, [...path, found.name]),
    );
    // Of a struct without any of the fields, where it is null still matters.
    return below.length === 0 ? whole : below;
  }
  const isList = wanted.kind === "list" || wanted.kind === "largeList" || wanted.kind === "fixedSizeList";
  if (!isList) return whole;
  const [item] = childFields(own.type);
  return item === undefined || item.type.kind !== "struct"
    ? whole
    : pathsBelow(wanted.child.type, item, [...path, item.name]);
}

function childNamed(type: DataType, name: string): Field | undefined {
  return childFields(type).find((child) => child.name === name);
}
