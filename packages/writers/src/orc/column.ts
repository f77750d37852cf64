import { addWhere, type Column } from "@ingest-ts/core";
import type { encodingKinds } from "@ingest-ts/readers/orc/spec";
import { live } from "../columns/live.ts";
import type { Places } from "../columns/places.ts";
import { ColumnStatistics, type TypedStatistics } from "./statistics.ts";
import { BitStream, type Stream } from "./streams.ts";
import type { OrcNode } from "./types.ts";

/** One column of a finished stripe. */
export interface StripeColumn {
  readonly id: number;
  /** Those that row groups point into first, in the order of their positions. */
  readonly streams: readonly Stream[];
  readonly encoding: { readonly kind: (typeof encodingKinds)[number]; readonly dictionarySize: number };
  /** One for each row group. */
  readonly groups: readonly ColumnStatistics[];
}

/** What a stripe says of a column beside its nulls. */
export type ColumnBody = Pick<StripeColumn, "streams" | "encoding">;

/**
 * Encodes one column: takes the values of row group after row group, and gives the column of a stripe. Below a null there
 * are no values ("Column Encodings"), so that children see live places only.
 */
export abstract class ColumnEncoder {
  protected readonly node: OrcNode;
  readonly #children: readonly ColumnEncoder[];
  readonly #present = new BitStream();
  #groups: ColumnStatistics[] = [];

  constructor(node: OrcNode, children: readonly ColumnEncoder[] = []) {
    this.node = node;
    this.#children = children;
  }

  /** Bounds of the group being filled; undefined for columns without an order. */
  protected abstract newStatistics(): TypedStatistics | undefined;
  /** Marks the places where the next row group begins. */
  protected abstract mark(): void;
  /** Takes values, none of which is null; their memory is the caller's. */
  protected abstract take(column: Column, places: Places): void;
  /** Encodes what `take` has gathered for the row group. */
  protected abstract flush(): void;
  /** Gives the streams of the stripe, without nulls, and starts anew. */
  protected abstract finishBody(): ColumnBody;

  protected get group(): ColumnStatistics {
    return this.#groups.at(-1) as ColumnStatistics;
  }

  protected child(index: number): ColumnEncoder {
    return this.#children[index] as ColumnEncoder;
  }

  beginGroup(): void {
    this.#groups.push(new ColumnStatistics(this.newStatistics()));
    this.#present.mark();
    this.mark();
    for (const child of this.#children) child.beginGroup();
  }

  append(column: Column, places: Places): void {
    try {
      const found = live(column, places, this.node.nullable);
      if (found.kept === null) this.#present.ones(places.length);
      else {
        this.#present.some(found.kept, places.length);
        this.group.hasNull = true;
      }
      this.group.values += found.places.length;
      if (found.places.length > 0) this.take(found.column, found.places);
    } catch (error) {
      throw this.node.path === "" ? error : addWhere(error, { column: this.node.path });
    }
  }

  endGroup(): void {
    this.flush();
    for (const child of this.#children) child.endGroup();
  }

  /** This column and all below it, in the order of their numbers. */
  finish(): StripeColumn[] {
    const hasNulls = this.#present.zeros > 0;
    const present = hasNulls ? [this.#present.finish("present")] : [];
    this.#present.clear();
    const { streams, encoding } = this.finishBody();
    const groups = this.#groups;
    this.#groups = [];
    const own: StripeColumn = { id: this.node.id, streams: [...present, ...streams], encoding, groups };
    return [own, ...this.#children.flatMap((child) => child.finish())];
  }
}

/** Of integers in version 2 of run lengths, and of what is built on them. */
export const directV2: StripeColumn["encoding"] = { kind: "directV2", dictionarySize: 0 };
/** Of types that have one encoding only. */
export const direct: StripeColumn["encoding"] = { kind: "direct", dictionarySize: 0 };
