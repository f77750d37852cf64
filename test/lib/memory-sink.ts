import type { ByteSink } from "@ingest-ts/core";

/** A sink that keeps what it is given. */
export function memorySink(): ByteSink & { readonly bytes: Uint8Array; readonly state: "open" | "closed" | "aborted" } {
  const parts: Uint8Array[] = [];
  let state: "open" | "closed" | "aborted" = "open";
  return {
    get bytes(): Uint8Array {
      const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        out.set(part, at);
        at += part.length;
      }
      return out;
    },
    get state() {
      return state;
    },
    async write(bytes) {
      parts.push(bytes.slice());
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
