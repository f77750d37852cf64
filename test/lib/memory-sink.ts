import type { ByteSink } from "@ingest-ts/core";

/** A sink that keeps what it is given. */
export function memorySink(): ByteSink & { readonly bytes: Uint8Array; readonly state: "open" | "closed" | "aborted" } {
  const parts: Uint8Array[] = [];
  let state: "open" | "closed" | "aborted" = "open";
  const joined = (): Uint8Array => new Uint8Array(Buffer.concat(parts));
  return {
    get bytes(): Uint8Array {
      return joined();
    },
    get state() {
      return state;
    },
    async write(bytes) {
      parts.push(bytes.slice());
    },
    async patch(position, bytes) {
      const all = joined();
      all.set(bytes, position);
      parts.splice(0, parts.length, all);
    },
    async close() {
      state = "closed";
    },
    async abort() {
      state = "aborted";
      parts.length = 0;
    },
  };
}
