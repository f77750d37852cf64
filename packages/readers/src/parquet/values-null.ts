import { FormatError } from "@ingest-ts/core";
import type { LeafBuffers, LeafValues } from "./leaf-values.ts";
import type { EncodedValues } from "./pages.ts";

/** Values of a Null column: there are none. */
export class NullValues implements LeafValues {
  readonly takesOutside: boolean = false;
  loadDictionary(): void {
    // Nothing may refer to it.
  }

  openPage(values: EncodedValues): void {
    if (values.count > 0) throw new FormatError(`${values.count} values in a column of type Null`);
  }

  skip(): void {
    // There is nothing to pass.
  }

  append(): boolean {
    return true;
  }

  sizeOf(): number {
    return 0;
  }

  take(): LeafBuffers {
    return { data: null, offsets: null };
  }
}
