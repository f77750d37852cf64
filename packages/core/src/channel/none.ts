import type { NamedChannel } from "./node.ts";

/** Runtimes without diagnostics channels: nobody listens. */
export function channel<T>(name: string): NamedChannel<T> {
  return { name, hasSubscribers: false, publish: () => {} };
}
