import {
  addWhere,
  type ByteSource,
  checkLimit,
  type Columns,
  type Decoder,
  type Limits,
  type Need,
  type Passed,
} from "@ingest-ts/core";

function needBytes({ need }: Need): number {
  return need.reduce((sum, span) => sum + Math.max(0, span.end - span.start), 0);
}

/** One fragment on its way through its decoder: fetches what the decoder needs, hands on what it yields. */
export class FragmentRun {
  readonly #decoder: Decoder;
  readonly #source: ByteSource;
  readonly #ordinal: number;
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  #step: IteratorResult<Columns | Need | Passed, void> | undefined;
  #fetching: Promise<Uint8Array[]> | undefined;
  /** After `drop` a read may still be under way: nothing else may be written where it writes. */
  #mayReuse = true;
  /** What went wrong ahead of time; rows that come before are delivered first. */
  #failure: { readonly error: unknown } | undefined;
  /** Fetched, or being fetched, for the decoder's last need. */
  heldBytes = 0;
  fetchedBytes = 0;

  constructor(decoder: Decoder, source: ByteSource, ordinal: number, limits: Limits, signal?: AbortSignal) {
    this.#decoder = decoder;
    this.#source = source;
    this.#ordinal = ordinal;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Starts to fetch the first bytes ahead of time, when they are at most `roomBytes`. */
  prefetch(roomBytes: number): void {
    if (this.#step !== undefined || this.#failure !== undefined) return;
    try {
      this.#step = this.#located(() => this.#decoder.next([]));
      const { value, done } = this.#step;
      if (done !== true && "need" in value && needBytes(value) <= roomBytes) this.#fetch(value, true);
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** Gives fetched bytes up; they are fetched again when their turn comes. */
  drop(): void {
    if (this.#fetching !== undefined) this.#mayReuse = false;
    this.#fetching = undefined;
    this.heldBytes = 0;
  }

  /**
   * The next rows, decoded or passed over, or undefined at the end. `makeRoom` is called with the bytes about to be fetched.
   *
   * @throws what the decoder or the source throw, with the fragment named.
   */
  async next(makeRoom: (bytes: number) => void): Promise<Columns | Passed | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#step ??= this.#located(() => this.#decoder.next([]));
    for (;;) {
      const { value, done } = this.#step;
      if (done === true) return undefined;
      if (!("need" in value)) {
        this.#step = undefined;
        return value;
      }
      if (this.#fetching === undefined) {
        makeRoom(needBytes(value));
        this.#fetch(value, false);
      }
      const bytes = await this.#fetched();
      this.#step = this.#located(() => this.#decoder.next(bytes));
    }
  }

  /** Ends the decoder, so that it gives back what it owns, and waits for reads under way. */
  async close(): Promise<void> {
    this.#decoder.return();
    await this.#fetching?.catch(() => {});
    this.drop();
  }

  #fetch(need: Need, ahead: boolean): void {
    const bytes = needBytes(need);
    this.#located(() => checkLimit(this.#limits, "bytesInFlight", bytes, "what must be fetched at once, in bytes,"));
    this.heldBytes = bytes;
    this.fetchedBytes += bytes;
    const into = this.#mayReuse ? need.into : undefined;
    this.#fetching = this.#source.getRanges(need.need, { signal: this.#signal, into, ahead });
    // Whoever awaits it hears of a failure; until then it must not count as unhandled.
    this.#fetching.catch(() => {});
  }

  async #fetched(): Promise<Uint8Array[]> {
    try {
      return (await this.#fetching) as Uint8Array[];
    } catch (error) {
      throw addWhere(error, { url: this.#source.url, fragment: this.#ordinal });
    } finally {
      this.#fetching = undefined;
    }
  }

  #located<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw addWhere(error, { url: this.#source.url, fragment: this.#ordinal });
    }
  }
}
