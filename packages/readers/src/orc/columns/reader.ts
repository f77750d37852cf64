import type { Column } from "@ingest-ts/core";
import type { ArenaScope } from "../arena-scope.ts";
import type { Reading } from "../stripe-bytes.ts";
import type { Presence } from "./presence.ts";

/** Reads one column of a stripe from some row on to its last. */
export interface ColumnReader {
  /**
   * The next slots of the column. It holds `parent.count` values, null wherever the parent has none; blocks that it
   * needs meanwhile come from `scope`.
   */
  read(parent: Presence, scope: ArenaScope): Reading<Column>;
}
