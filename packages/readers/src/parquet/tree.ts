import {
  addWhere,
  checkLimit,
  type DataType,
  FormatError,
  type Limits,
  type Select,
  type TimeUnit,
  UnsupportedError,
} from "@ingest-ts/core";
import { extensionOf } from "./extension.ts";
import { leafType } from "./leaf-type.ts";
import type { LeafNode, ListNode, Node, Slot, StructNode } from "./nodes.ts";
import { Converted, Logical, Physical, Repetition, type SchemaElement } from "./spec.ts";

/** What the ancestors of an element add up to. */
interface Above {
  readonly path: readonly string[];
  readonly repetition: number;
  readonly definition: number;
  readonly slot: Slot;
}

/** A schema element with its children, before it is given a meaning. */
interface Element extends SchemaElement {
  readonly children: readonly Element[];
}

/** Levels travel as bytes. */
const MAX_LEVEL = 255;

/**
 * Gives the flattened schema (Thrift: `FileMetaData.schema`) its meaning: Arrow nodes with levels, including the legacy
 * forms of lists and maps (LogicalTypes, "Nested Types").
 *
 * @throws FormatError when it is not a tree or annotations do not fit; UnsupportedError over limits.depth.
 */
export function buildTree(
  elements: readonly SchemaElement[],
  limits: Limits,
  timestamps: TimestampOptions = {},
  keyValues: Readonly<Record<string, string>> = {},
): Node[] {
  const root = unflatten(elements, limits);
  return new TreeBuilder(timestamps, keyValues).fields(root);
}

/** How timestamps are read. */
export type TimestampOptions = Pick<Select, "timestampUnit" | "int96">;

function timestampType(type: DataType, physical: number, { timestampUnit, int96 }: TimestampOptions): DataType {
  if (type.kind !== "timestamp") return type;
  const zoned = physical === Physical.INT96 && int96 === "utc" ? { ...type, timezone: "UTC" } : type;
  return timestampUnit === undefined ? zoned : { ...zoned, unit: timestampUnit };
}

/** The unit of stored timestamps. */
function unitOf(type: DataType): TimeUnit | undefined {
  return type.kind === "timestamp" ? type.unit : undefined;
}

function unflatten(elements: readonly SchemaElement[], limits: Limits): Element {
  let next = 0;
  const read = (depth: number): Element => {
    checkLimit(limits, "depth", depth, "a schema depth");
    const element = elements[next++];
    if (element === undefined) throw new FormatError("the schema claims more elements than it has");
    const children: Element[] = [];
    for (let i = 0; i < (element.numChildren ?? 0); i++) children.push(read(depth + 1));
    return { ...element, children };
  };
  const root = read(0);
  if (root.numChildren === undefined) throw new FormatError("the root of the schema is not a group");
  if (next !== elements.length)
    throw new FormatError(`the schema has ${elements.length} elements, its tree only ${next}`);
  return root;
}

/** Names with which old writers say that a repeated group of one field is the item itself. */
function isItemName(name: string, list: string): boolean {
  return name === "array" || name === `${list}_tuple`;
}

function isListGroup(element: Element): boolean {
  return element.logical === undefined ? element.converted === Converted.LIST : element.logical.id === Logical.LIST;
}

function isMapGroup(element: Element): boolean {
  if (element.logical !== undefined) return element.logical.id === Logical.MAP;
  return element.converted === Converted.MAP || element.converted === Converted.MAP_KEY_VALUE;
}

class TreeBuilder {
  /** Leaves seen so far. */
  #leaves = 0;
  readonly #timestamps: TimestampOptions;
  readonly #keyValues: Readonly<Record<string, string>>;

  constructor(timestamps: TimestampOptions, keyValues: Readonly<Record<string, string>>) {
    this.#timestamps = timestamps;
    this.#keyValues = keyValues;
  }

  fields(root: Element): Node[] {
    const above: Above = { path: [], repetition: 0, definition: 0, slot: { repetition: 0, definition: 0 } };
    return root.children.map((child) => this.#field(child, above));
  }

  #field(element: Element, above: Above): Node {
    const path = [...above.path, element.name];
    switch (element.repetition) {
      case Repetition.REQUIRED:
      case Repetition.OPTIONAL: {
        const nullable = element.repetition === Repetition.OPTIONAL;
        return this.#value(element, nullable, { ...above, path, definition: above.definition + (nullable ? 1 : 0) });
      }
      case Repetition.REPEATED:
        // A bare repeated field: a list of non-null items that is itself never null.
        return this.#list(element, element, false, above, above.definition, false);
      default:
        throw new FormatError(`schema element "${path.join(".")}" has repetition ${element.repetition}`);
    }
  }

  /** An element whose own repetition is already counted in `at`. */
  #value(element: Element, nullable: boolean, at: Above): Node {
    if (element.numChildren === undefined) return this.#leaf(element, nullable, at);
    if (isListGroup(element)) return this.#listGroup(element, nullable, at);
    // A repeated group of key and value is the inside of a map; one around a repeated group is a map that is an item.
    const isInside =
      element.repetition === Repetition.REPEATED && element.children[0]?.repetition !== Repetition.REPEATED;
    if (isMapGroup(element) && !isInside) return this.#mapGroup(element, nullable, at);
    return this.#struct(element, nullable, at);
  }

  #leaf(element: Element, nullable: boolean, at: Above): LeafNode {
    const where = { column: at.path.join(".") };
    const { type, typeLength = 0 } = element;
    if (type === undefined || type < Physical.BOOLEAN || type > Physical.FIXED_LEN_BYTE_ARRAY)
      throw new FormatError(`physical type ${type} does not exist`, { where });
    if (type === Physical.FIXED_LEN_BYTE_ARRAY && typeLength <= 0)
      throw new FormatError(`a FIXED_LEN_BYTE_ARRAY of ${typeLength} bytes`, { where });
    if (at.definition > MAX_LEVEL || at.repetition > MAX_LEVEL)
      throw new UnsupportedError(`levels above ${MAX_LEVEL}`, { where });
    let storedType: LeafNode["type"];
    try {
      storedType = leafType(element);
    } catch (error) {
      throw addWhere(error, where);
    }
    return {
      shape: "leaf",
      name: element.name,
      nullable,
      slot: at.slot,
      type: timestampType(storedType, type, this.#timestamps),
      ...extensionOf(element, this.#keyValues),
      leaf: {
        ordinal: this.#leaves++,
        path: at.path,
        physical: type,
        typeLength: type === Physical.FIXED_LEN_BYTE_ARRAY ? typeLength : 0,
        storedUnit: type === Physical.INT96 ? undefined : unitOf(storedType),
        maxDefinition: at.definition,
        maxRepetition: at.repetition,
      },
    };
  }

  #struct(element: Element, nullable: boolean, at: Above): StructNode {
    if (element.children.length === 0)
      throw new UnsupportedError("a group without fields", { where: { column: at.path.join(".") } });
    return {
      shape: "struct",
      name: element.name,
      nullable,
      ...extensionOf(element, this.#keyValues),
      slot: at.slot,
      definition: at.definition,
      children: element.children.map((child) => this.#field(child, at)),
    };
  }

  /**
   * A list whose items are `item` (a repeated element, taken as required) or, when `inner`, the only field of it.
   *
   * @param above the levels of the list itself.
   */
  #list(list: Element, item: Element, nullable: boolean, above: Above, definition: number, inner: boolean): ListNode {
    const itemSlot: Slot = { repetition: above.repetition + 1, definition: definition + 1 };
    const path = [...above.path, item.name];
    const inside: Above = { path, repetition: itemSlot.repetition, definition: itemSlot.definition, slot: itemSlot };
    return {
      shape: "list",
      kind: "list",
      size: 0,
      keysSorted: false,
      name: list.name,
      nullable,
      slot: above.slot,
      definition,
      itemSlot,
      child: inner ? this.#field(item.children[0] as Element, inside) : this.#value(item, false, inside),
    };
  }

  /** LogicalTypes, "Lists", with the rules for backward compatibility. */
  #listGroup(element: Element, nullable: boolean, at: Above): Node {
    const [item] = element.children;
    if (element.children.length !== 1 || item === undefined || item.repetition !== Repetition.REPEATED)
      throw new FormatError("a LIST group must have one repeated field", { where: { column: at.path.join(".") } });
    const [only] = item.children;
    const inner =
      item.children.length === 1 &&
      only !== undefined &&
      only.repetition !== Repetition.REPEATED &&
      !isItemName(item.name, element.name) &&
      !isListGroup(item) &&
      item.logical?.id !== Logical.MAP;
    return this.#list(element, item, nullable, at, at.definition, inner);
  }

  /** LogicalTypes, "Maps"; a map without values is a list of its keys. */
  #mapGroup(element: Element, nullable: boolean, at: Above): Node {
    const where = { column: at.path.join(".") };
    const [entries] = element.children;
    if (element.children.length !== 1 || entries?.repetition !== Repetition.REPEATED || entries.children.length === 0)
      throw new FormatError("a MAP group must have one repeated group", { where });
    const [key, value] = entries.children as [Element, Element | undefined];
    if (entries.children.length > 2 || key.repetition === Repetition.REPEATED)
      throw new FormatError("the entries of a MAP must be a key and a value", { where });
    if (value === undefined) return this.#list(element, entries, nullable, at, at.definition, true);
    const list = this.#list(
      element,
      { ...entries, logical: undefined, converted: undefined },
      nullable,
      at,
      at.definition,
      false,
    );
    return { ...list, kind: "map" };
  }
}
