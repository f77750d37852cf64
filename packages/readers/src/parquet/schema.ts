import { addWhere, OptionsError, type Schema, type Select } from "@ingest-ts/core";
import { readArrowHints } from "./arrow-hints.ts";
import type { ParquetMetadata } from "./metadata.ts";
import { fieldOf, type Node } from "./nodes.ts";
import { restoreFields } from "./restore.ts";
import { ARROW_SCHEMA_KEY, Encoding, OUR_NAME, Physical } from "./spec.ts";
import { buildTree } from "./tree.ts";

/** Trees are the same for every fragment of a file, and not small: one per metadata object. */
const trees = new WeakMap<ParquetMetadata, Map<string, readonly Node[]>>();

/** All top-level columns of the file. @throws FormatError, UnsupportedError as `buildTree`. */
export function fileNodes(metadata: ParquetMetadata, select: Select): readonly Node[] {
  const ofFile = trees.get(metadata) ?? new Map<string, readonly Node[]>();
  const key = JSON.stringify([select.timestampUnit, select.int96, select.dictionary]);
  const known = ofFile.get(key);
  if (known !== undefined) return known;
  try {
    const nodes = buildTree(metadata.elements, select.limits, select, metadata.keyValues);
    const stored = metadata.keyValues[ARROW_SCHEMA_KEY];
    const hints = stored === undefined ? undefined : readArrowHints(stored);
    const restored = hints === undefined ? nodes : restoreFields(nodes, hints, isOurs(metadata));
    const kept = select.dictionary === "preserve" ? restored.map((node) => keepDictionaries(node, metadata)) : restored;
    trees.set(metadata, ofFile.set(key, kept));
    return kept;
  } catch (error) {
    throw addWhere(error, { url: metadata.url });
  }
}

/** Text and bytes as dictionaries where a row group has one for them (Encodings, "Dictionary Encoding"). */
function keepDictionaries(node: Node, metadata: ParquetMetadata): Node {
  if (node.shape === "struct") {
    return { ...node, children: node.children.map((child) => keepDictionaries(child, metadata)) };
  }
  if (node.shape === "list") return { ...node, child: keepDictionaries(node.child, metadata) };
  const { type: value, leaf } = node;
  const isKept =
    value.kind === "utf8" || value.kind === "largeUtf8" || value.kind === "binary" || value.kind === "largeBinary";
  const hasDictionary = metadata.rowGroups.some(({ columns }) => columns[leaf.ordinal]?.encodings.some(isDictionary));
  if (!isKept || leaf.physical !== Physical.BYTE_ARRAY || !hasDictionary) return node;
  return {
    ...node,
    type: { kind: "dictionary", index: { kind: "int", bits: 32, signed: true }, value, ordered: false },
  };
}

function isDictionary(encoding: number): boolean {
  return encoding === Encoding.PLAIN_DICTIONARY || encoding === Encoding.RLE_DICTIONARY;
}

/** Whether our writer made the file. */
function isOurs({ createdBy }: ParquetMetadata): boolean {
  return createdBy?.startsWith(`${OUR_NAME} version `) === true;
}

/** The selected columns in the order asked for. @throws OptionsError for a path that does not exist. */
export function selectedNodes(metadata: ParquetMetadata, select: Select): readonly Node[] {
  const nodes = fileNodes(metadata, select);
  if (select.columns === undefined) return nodes;
  // Paths below the same column make one column of the output, at the place of the first.
  const groups = new Map<Node, (readonly string[])[]>();
  for (const path of select.columns) {
    const node = findField(nodes, path[0], path);
    const below = groups.get(node);
    if (below === undefined) groups.set(node, [path.slice(1)]);
    else below.push(path.slice(1));
  }
  return Array.from(groups, ([node, below]) => prune(node, below));
}

/** The Arrow schema of the selected columns, with the file's metadata (the stored Arrow schema left out). */
export function toSchema(metadata: ParquetMetadata, select: Select): Schema {
  const { [ARROW_SCHEMA_KEY]: _, ...keyValues } = metadata.keyValues;
  return { fields: selectedNodes(metadata, select).map(fieldOf), metadata: keyValues };
}

function findField(nodes: readonly Node[], name: string | undefined, path: readonly string[]): Node {
  const found = nodes.filter((node) => node.name === name);
  const [node] = found;
  if (node === undefined || found.length > 1) {
    const problem = node === undefined ? "there is no column" : "there is more than one column";
    const names = nodes.slice(0, 20).map((each) => `"${each.name}"`);
    throw new OptionsError(`${problem} "${path.join(".")}"`, {
      remedy: `Here are ${names.join(", ")}${nodes.length > 20 ? ` and ${nodes.length - 20} more` : ""}.`,
    });
  }
  return node;
}

/** The node with only what `paths` (relative to it) lead to; an empty path is all of it. */
function prune(node: Node, paths: readonly (readonly string[])[]): Node {
  if (paths.some((path) => path.length === 0)) return node;
  if (node.shape === "leaf" || (node.shape === "list" && node.kind === "map")) {
    const what = node.shape === "leaf" ? "has no fields" : "is a map, which is read whole";
    throw new OptionsError(`column "${node.name}" ${what}, so "${paths[0]?.join(".")}" cannot be selected below it`);
  }
  if (node.shape === "list") {
    // The item may be named, or passed over: "points.element.x" and "points.x" are the same.
    const below = paths.map((path) => (path[0] === node.child.name ? path.slice(1) : path));
    return { ...node, child: prune(node.child, below) };
  }
  const groups = new Map<Node, (readonly string[])[]>();
  for (const path of paths) {
    const child = findField(node.children, path[0], path);
    groups.set(child, [...(groups.get(child) ?? []), path.slice(1)]);
  }
  const children = node.children.filter((child) => groups.has(child));
  return { ...node, children: children.map((child) => prune(child, groups.get(child) ?? [])) };
}
