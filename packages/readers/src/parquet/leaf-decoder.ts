import type { Limits } from "@ingest-ts/core";
import type { LeafValues } from "./leaf-values.ts";
import type { LeafNode } from "./nodes.ts";
import { Physical } from "./spec.ts";
import { BinaryValues } from "./values-binary.ts";
import { BinaryDecimalValues } from "./values-binary-decimal.ts";
import { BooleanValues } from "./values-boolean.ts";
import { DictionaryValues, type ValueType } from "./values-dictionary.ts";
import { FixedValues } from "./values-fixed.ts";
import { NullValues } from "./values-null.ts";
import type { Workspace } from "./workspace.ts";

/** The decoder for a leaf of this physical and Arrow type. */
export function leafDecoder(space: Workspace, node: LeafNode, limits: Limits): LeafValues {
  const { leaf } = node;
  const type = node.stored ?? node.type;
  if (type.kind === "null") return new NullValues();
  if (leaf.physical === Physical.BOOLEAN) return new BooleanValues(space);
  if (leaf.physical !== Physical.BYTE_ARRAY) return new FixedValues(space, leaf, type, limits);
  if (type.kind === "dictionary") return new DictionaryValues(space, type.value as ValueType, limits);
  if (type.kind === "decimal") return new BinaryDecimalValues(space, type, limits);
  return new BinaryValues(space, type, limits);
}
