/** A position as plain JSON: a few hundred bytes, whatever the data set's size. */
export type StateDict = { readonly [key: string]: JsonValue };
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A pull stream that knows its place. Back-pressure is the pull itself; `return()` is `close()`. */
export interface Stage<T> extends AsyncIterableIterator<T, undefined, undefined> {
  /** The place after the last value returned. */
  stateDict(): StateDict;
  /** Before the first `next()`. @throws StateError when the state does not fit. */
  loadStateDict(state: StateDict): void;
  close(): Promise<void>;
}
