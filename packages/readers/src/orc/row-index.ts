import { FormatError } from "@ingest-ts/core";
import { readMessage } from "./protobuf.ts";
import type { ColumnEncoding, StreamName } from "./spec.ts";
import { type ColumnStatistics, readStatistics } from "./statistics.ts";
import { isDictionary } from "./stripe.ts";
import type { StreamStart } from "./streams.ts";
import type { Node } from "./tree.ts";

/** Message `RowIndexEntry`: one row group of one column. */
export interface RowGroup {
  /** Of all streams of the column, one after the other (`placesOf`). */
  readonly positions: readonly number[];
  readonly statistics: ColumnStatistics;
}

/** More values than any writer keeps back before it knows their run. */
const MOST_PASSED_VALUES = 1 << 16;

/**
 * Message `RowIndex`.
 *
 * @returns undefined when it is malformed or has not as many entries as there are row groups: rows can be read without.
 */
export function readRowIndex(bytes: Uint8Array, groups: number): RowGroup[] | undefined {
  const entries: RowGroup[] = [];
  try {
    readMessage(bytes, (field, reader) => {
      if (field.number !== 1 || field.wireType !== 2 || entries.length > groups) return false;
      entries.push(readEntry(reader.bytes()));
      return true;
    });
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  return entries.length === groups ? entries : undefined;
}

function readEntry(bytes: Uint8Array): RowGroup {
  const positions: number[] = [];
  let statistics: ColumnStatistics = {};
  readMessage(bytes, (field, reader) => {
    if (field.number === 1 && (field.wireType === 0 || field.wireType === 2)) reader.varints(field, positions);
    else if (field.number === 2 && field.wireType === 2) statistics = readStatistics(reader.bytes());
    else return false;
    return true;
  });
  return { positions, statistics };
}

/** How a stream is encoded, which decides what its position is made of. */
type Coding = "bits" | "runs" | "raw";

/** The streams that a column's positions speak of, in their order (specification, "Column Encodings"). */
function positionedStreams(
  { orc: { kind } }: Node,
  encoding: ColumnEncoding,
  isShortDecimal: boolean,
): readonly (readonly [StreamName, Coding])[] {
  switch (kind) {
    case "boolean":
      return [["data", "bits"]];
    case "byte":
    case "union":
    case "short":
    case "int":
    case "long":
    case "date":
      return [["data", "runs"]];
    case "float":
    case "double":
      return [["data", "raw"]];
    case "list":
    case "map":
      return [["length", "runs"]];
    case "struct":
      return [];
    case "timestamp":
    case "timestampInstant":
      return runsOf("data", "secondary");
    case "decimal":
      return isShortDecimal
        ? runsOf("data")
        : [
            ["data", "raw"],
            ["secondary", "runs"],
          ];
    default:
      return isDictionary(encoding)
        ? runsOf("data")
        : [
            ["data", "raw"],
            ["length", "runs"],
          ];
  }
}

function runsOf(...names: readonly StreamName[]): readonly (readonly [StreamName, Coding])[] {
  return names.map((name) => [name, "runs"]);
}

/**
 * Where the streams of a column begin for one row group.
 *
 * @param positions of the row group, from its row index entry
 * @returns undefined when they are not of the number that the column's streams ask for: some writers leave out those of a
 *   PRESENT stream that is not there, others do not
 */
export function placesOf(
  positions: readonly number[],
  node: Node,
  encoding: ColumnEncoding,
  { hasPresent, isShortDecimal, isCompressed }: { hasPresent: boolean; isShortDecimal: boolean; isCompressed: boolean },
): Map<StreamName, StreamStart> | undefined {
  const streams = positionedStreams(node, encoding, isShortDecimal);
  const places = new Map<StreamName, StreamStart>();
  let at = 0;
  const next = (): number => positions[at++] ?? Number.NaN;
  for (const [name, coding] of hasPresent ? [["present", "bits"] as const, ...streams] : streams) {
    const chunk = next();
    const offset = isCompressed ? next() : 0;
    const runs = coding === "raw" ? 0 : next();
    const values = coding === "bits" ? runs * 8 + next() : runs;
    if (!(values <= MOST_PASSED_VALUES)) return undefined;
    places.set(name, { chunk, offset, values });
  }
  return at === positions.length ? places : undefined;
}
