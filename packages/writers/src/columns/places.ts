import { type Column, OptionsError } from "@ingest-ts/core";

/** Which values of a column: [start, start + length), or those at `indices`. */
export interface Places {
  readonly start: number;
  readonly length: number;
  readonly indices: Int32Array | null;
}

/** The bytes behind a column of fixed-width values. @throws OptionsError when there are too few. */
export function fixedData(column: Column, width: number): Uint8Array {
  const { data, length } = column;
  if (data === null || data.length < width * length) {
    throw new OptionsError(
      `a ${column.type.kind} column of ${length} values with ${data?.length ?? 0} bytes instead of ${width * length}`,
    );
  }
  return data;
}
