import type { Schema, StateDict } from "@ingest-ts/core";
import type { Batch } from "../batch.ts";
import { describeSeal } from "../ledger/format.ts";
import { columnsDigest, ledgerEntry } from "../ledger/index.ts";
import type { Loader } from "../loader.ts";
import type { Seal } from "../stream/seal.ts";
import type { WindowLoader } from "../stream/window-loader.ts";
import { END_OF_STREAM, IpcEncoder, NEVER_ENDED } from "./ipc-encoder.ts";
import { errorNotice } from "./notices.ts";
import { plainColumns, plainSchema } from "./plain-columns.ts";
import type { Notice, OutMessage, StreamStart } from "./protocol.ts";

/** What the ledger of a stream begins with. */
export interface StreamLedger {
  /** The header's line. */
  readonly header: string;
  readonly start: Omit<StreamStart, "columns" | "epoch" | "position">;
  /** Of windows that were opened and not told of yet; emptied as they are told. */
  readonly seals?: Seal[];
}

/**
 * The messages of one rank's stream, made one at a time as they are asked for. Owns its loader.
 *
 * After a message with an `ending` there is no other.
 */
export class RankStream {
  readonly #loader: Loader | WindowLoader;
  readonly #encoder: IpcEncoder;
  readonly #schema: Schema;
  readonly #hasDictionaries: boolean;
  readonly #ledger: StreamLedger | undefined;
  /** Messages that follow the last batch, or come before the first. */
  readonly #ready: OutMessage[] = [];
  /** A batch of a later epoch, behind the notice of the earlier one's end. */
  #held: Batch | undefined;
  #epoch: number;
  /** The place after the last batch that was sent. */
  #state: StateDict;
  #draining = false;
  /** Ends the waiting for a batch when the server stops: it may have lasted for hours. */
  #tellDrained: () => void = () => {};

  /** @param loader not yet asked for batches; its state is loaded */
  constructor(loader: Loader | WindowLoader, ledger: StreamLedger | undefined) {
    this.#loader = loader;
    this.#schema = plainSchema(loader.schema);
    this.#hasDictionaries = JSON.stringify(this.#schema) !== JSON.stringify(loader.schema);
    this.#encoder = new IpcEncoder(this.#schema);
    this.#ledger = ledger;
    this.#state = loader.stateDict();
    this.#epoch = this.#state["epoch"] as number;
    this.#ready.push({ pieces: this.#encoder.schemaMessage(), ending: undefined });
    if (ledger !== undefined) this.#ready.push(this.#notice(this.#ledgerNotice(ledger)));
  }

  #ledgerNotice({ header, start }: StreamLedger): Notice {
    const position = this.#state["position"] as number;
    const columns = columnsDigest(this.#schema);
    return { kind: "ledger", header, start: { ...start, epoch: this.#epoch, position, columns } };
  }

  #notice(notice: Notice): OutMessage {
    return { pieces: this.#encoder.notice(notice), ending: undefined };
  }

  #last(notice: Notice, behind: Uint8Array, ending: OutMessage["ending"]): OutMessage {
    return { pieces: [...this.#encoder.notice(notice), behind], ending };
  }

  /** The next message that is made says that the server stops. */
  drain(): void {
    this.#draining = true;
    this.#tellDrained();
  }

  /** The next message. Never rejects: what fails is a message too. */
  async next(): Promise<OutMessage> {
    try {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      if (this.#draining) return this.#drainingMessage();
      const held = this.#held;
      this.#held = undefined;
      const next = held ?? (await this.#nextOrDraining());
      if (next === "draining") return this.#drainingMessage();
      return await this.#take("toColumns" in next ? next : next.value);
    } catch (error) {
      return this.#last({ kind: "error", error: errorNotice(error), state: this.#state }, NEVER_ENDED, "cut");
    }
  }

  /** Not a race with one promise of the whole stream, which would keep every batch that was ever handed out. */
  #nextOrDraining(): Promise<IteratorResult<Batch, undefined> | "draining"> {
    return new Promise((resolve, reject) => {
      this.#tellDrained = () => resolve("draining");
      this.#loader.next().then(resolve, reject);
    });
  }

  #drainingMessage(): OutMessage {
    return this.#last({ kind: "draining", state: this.#state }, NEVER_ENDED, "cut");
  }

  async #take(batch: Batch | undefined): Promise<OutMessage> {
    const place = batch === undefined ? this.#loader.stateDict() : undefined;
    const epoch = batch?.epoch ?? (place?.["epoch"] as number);
    if (epoch > this.#epoch) {
      this.#held = batch;
      return this.#endEpoch();
    }
    if (batch === undefined) {
      await this.close();
      const { droppedRows } = this.#loader;
      return this.#last({ kind: "end", state: this.#state, droppedRows }, END_OF_STREAM, "whole");
    }
    return this.#rows(batch);
  }

  #endEpoch(): OutMessage {
    const ended = this.#epoch++;
    this.#state = { ...this.#state, epoch: this.#epoch, position: 0 };
    return this.#notice({ kind: "epoch", epoch: ended, state: this.#state });
  }

  #rows(batch: Batch): OutMessage {
    const { epoch, step, positions, state } = batch;
    const columns = this.#hasDictionaries ? plainColumns(batch.toColumns()) : batch.toColumns();
    const [from, to] = positions;
    const ledger = this.#ledger === undefined ? {} : { ledger: ledgerEntry(columns, { epoch, step, from, to }) };
    const windows = this.#ledger?.seals?.splice(0) ?? [];
    const before = windows.flatMap((seal) => this.#encoder.notice({ kind: "window", ledger: describeSeal(seal) }));
    const pieces = this.#encoder.message(columns, { kind: "batch", epoch, step, positions, state, ...ledger });
    this.#state = state;
    // Said at once, not when the next epoch's first batch is there.
    if ((state["epoch"] as number) > epoch) this.#ready.push(this.#endEpoch());
    return { pieces: [...before, ...pieces], ending: undefined };
  }

  /** Stops reading. Harmless when repeated. */
  close(): Promise<void> {
    return this.#loader.close();
  }
}
