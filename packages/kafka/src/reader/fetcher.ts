import { addWhere, channels, isIngestError, SourceError } from "@ingest-ts/core";
import { corrupt } from "../records/errors.ts";
import { scanBatches } from "../records/scan.ts";
import { errorAction, errorName } from "../transport/error-codes.ts";
import { codeError } from "../transport/failures.ts";
import { backoffMs, causeOf } from "../transport/retry.ts";
import type { FetchedPartition, Transport } from "../transport/types.ts";
import { type ClusterView, recreated } from "./cluster.ts";
import type { Cursor, HeldBytes } from "./cursor.ts";
import type { OffsetFinder } from "./offsets.ts";
import { partitionName } from "./offsets.ts";
import type { Settings } from "./settings.ts";
import type { KafkaSlab } from "./types.ts";

/** Fetched and not yet decoded chunks of one partition: one is read while the next is on its way. */
const CHUNKS_AHEAD = 2;
/** Of one answer, whatever the budget. */
const MOST_FETCH_BYTES = 32 * 1024 * 1024;
/** A fetch of its own holds up the others of its broker, and has something to come. */
const SOLO_WAIT_MS = 100;
/** Empty answers to a fetch of its own before offsets count as holding nothing. */
const EMPTY_ANSWERS = 3;

/**
 * Fetches for cursors and hands their slabs over in turn: one fetch at a time to each broker, all its partitions that have
 * room in one request, and none at all when the bytes held reach the budget. What fails in one partition holds up no other.
 */
export class Fetcher {
  readonly #transport: Transport;
  readonly #view: ClusterView;
  readonly #finder: OffsetFinder;
  readonly #settings: Settings;
  readonly #signal: AbortSignal;
  readonly #cursors = new Map<string, Cursor>();
  /** Cursors with something to hand over, the next first. */
  readonly #ready: Cursor[] = [];
  readonly #busy = new Set<number>();
  readonly #flights = new Set<Promise<void>>();
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;
  #refreshing = false;

  constructor(transport: Transport, view: ClusterView, finder: OffsetFinder, settings: Settings, signal: AbortSignal) {
    this.#transport = transport;
    this.#view = view;
    this.#finder = finder;
    this.#settings = settings;
    this.#signal = signal;
  }

  get cursors(): readonly Cursor[] {
    return [...this.#cursors.values()];
  }

  cursor(name: string): Cursor | undefined {
    return this.#cursors.get(name);
  }

  add(cursors: Iterable<Cursor>): void {
    for (const cursor of cursors) this.#cursors.set(partitionName(cursor), cursor);
    this.pump();
    this.wake();
  }

  /** Their answers under way are thrown away when they come. */
  remove(cursors: Iterable<Cursor>): void {
    for (const cursor of cursors) {
      this.#cursors.delete(partitionName(cursor));
      cursor.drop((held) => this.#release(held));
      const at = this.#ready.indexOf(cursor);
      if (at >= 0) this.#ready.splice(at, 1);
    }
    this.pump();
    this.wake();
  }

  /** All that is to be read was handed over. */
  get done(): boolean {
    return [...this.#cursors.values()].every((cursor) => cursor.done);
  }

  /** The next slab, from the partition whose turn it is; undefined when none waits. @throws whatever went wrong for good */
  take(): KafkaSlab | undefined {
    for (let cursor = this.#ready.shift(); cursor !== undefined; cursor = this.#ready.shift()) {
      const slab = this.#takeFrom(cursor);
      if (slab === undefined) continue;
      if (cursor.waiting > 0) this.#ready.push(cursor);
      this.pump();
      return slab;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    this.pump();
    return undefined;
  }

  #takeFrom(cursor: Cursor): KafkaSlab | undefined {
    try {
      return cursor.take((held) => this.#release(held));
    } catch (error) {
      const { topic, partition, handed: kafkaOffset } = cursor;
      if (isIngestError(error, "INGEST_FORMAT")) channels.kafkaCorrupt.publish({ topic, partition, kafkaOffset });
      this.fail(addWhere(error, { url: this.#transport.url, topic, partition, kafkaOffset }));
      throw this.#failure?.error;
    }
  }

  /** Resolves when there may be something new. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Ends the reading: what waits is still handed over, then this is thrown. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    clearTimeout(this.#timer);
    this.wake();
  }

  /** Resolves when nothing is under way; the signal has fired before. */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#flights);
  }

  #release(held: HeldBytes): void {
    if (--held.chunks !== 0) return;
    this.#heldBytes -= held.sizeBytes;
    // What was decoded of them are copies.
    this.#transport.reuse(held.answers);
  }

  /** Starts what can be started. */
  pump(): void {
    if (this.#failure !== undefined || this.#signal.aborted) return;
    const now = performance.now();
    const byBroker = new Map<number, Cursor[]>();
    let soonest = Number.POSITIVE_INFINITY;
    let lost = false;
    for (const cursor of this.#cursors.values()) {
      if (cursor.inFlight || cursor.fetched || cursor.waiting >= CHUNKS_AHEAD) continue;
      if (cursor.notBefore > now) {
        soonest = Math.min(soonest, cursor.notBefore);
        continue;
      }
      const broker = cursor.replica >= 0 ? cursor.replica : (this.#view.partition(cursor)?.leader ?? -1);
      if (broker < 0) lost = true;
      else if (!this.#busy.has(broker)) byBroker.set(broker, [...(byBroker.get(broker) ?? []), cursor]);
    }
    if (lost) this.#refresh();
    for (const [broker, cursors] of byBroker) this.#start(broker, cursors);
    this.#wakeAt(soonest, now);
    this.#publishBuffered();
  }

  #wakeAt(soonest: number, now: number): void {
    clearTimeout(this.#timer);
    if (soonest !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.pump(), soonest - now + 1);
  }

  #publishBuffered(): void {
    if (!channels.kafkaBuffered.hasSubscribers) return;
    const pausedPartitions = [...this.#cursors.values()].filter(
      (cursor) => !cursor.inFlight && !cursor.fetched && cursor.notBefore <= performance.now(),
    ).length;
    const { bytesInFlight: limitBytes } = this.#settings;
    channels.kafkaBuffered.publish({ sizeBytes: this.#heldBytes, limitBytes, pausedPartitions });
  }

  /** Leaders are looked for; whoever misses one waits. */
  #refresh(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    const flight = this.#view
      .refresh()
      .catch((error: unknown) => {
        if (this.#signal.aborted) return;
        if (!(error instanceof SourceError) || !error.retryable) this.fail(error);
      })
      .then(() => {
        this.#refreshing = false;
        const now = performance.now();
        for (const cursor of this.#cursors.values()) {
          if (cursor.replica >= 0 || (this.#view.partition(cursor)?.leader ?? -1) >= 0) continue;
          this.#backOff(cursor, now, codeError(5, "Metadata", this.#transport.url, cursor));
        }
        this.pump();
      });
    this.#track(flight);
  }

  #track(flight: Promise<void>): void {
    this.#flights.add(flight);
    flight.then(
      () => this.#flights.delete(flight),
      () => this.#flights.delete(flight),
    );
  }

  #start(broker: number, candidates: readonly Cursor[]): void {
    const { bytesInFlight, partitionBytes } = this.#settings;
    const solo = candidates.find(({ soloBytes }) => soloBytes > 0);
    const cursors = solo === undefined ? candidates : [solo];
    const wanted = solo === undefined ? partitionBytes * cursors.length : Math.max(partitionBytes, solo.soloBytes);
    const room = bytesInFlight - this.#heldBytes;
    // With nothing held a fetch is always made, or a small budget would stop everything.
    if (this.#heldBytes > 0 && room < Math.min(wanted, partitionBytes)) return;
    const maxBytes = Math.max(1, Math.min(wanted, Math.max(room, 1), MOST_FETCH_BYTES), solo?.soloBytes ?? 0);
    this.#busy.add(broker);
    this.#heldBytes += maxBytes;
    for (const cursor of cursors) cursor.inFlight = true;
    this.#track(
      this.#fetch(broker, cursors, maxBytes).finally(() => {
        this.#heldBytes -= maxBytes;
        this.#busy.delete(broker);
        for (const cursor of cursors) cursor.inFlight = false;
        this.pump();
      }),
    );
  }

  async #fetch(broker: number, cursors: readonly Cursor[], maxBytes: number): Promise<void> {
    const { isolation, maxWaitMs, minBytes, partitionBytes } = this.#settings;
    const started = performance.now();
    const publish = (outcome: string, sizeBytes: number): void => {
      const durationMs = performance.now() - started;
      channels.kafkaFetched.publish({ brokerId: broker, partitions: cursors.length, outcome, sizeBytes, durationMs });
    };
    const partitions = cursors.map((cursor) => ({
      topic: cursor.topic,
      partition: cursor.partition,
      topicId: this.#view.topicId(cursor.topic),
      fetchOffset: cursor.fetchFrom,
      leaderEpoch: cursor.replica >= 0 ? -1 : (this.#view.partition(cursor)?.leaderEpoch ?? -1),
      maxBytes: Math.max(partitionBytes, cursor.soloBytes),
    }));
    try {
      const alone = cursors.some(({ soloBytes }) => soloBytes > 0);
      const wait = alone ? Math.min(maxWaitMs, SOLO_WAIT_MS) : maxWaitMs;
      const request = { partitions, isolation, maxWaitMs: wait, minBytes, maxBytes };
      const answers = await this.#transport.fetchRaw(broker, request, { signal: this.#signal });
      if (this.#signal.aborted) return;
      const sizeBytes = answers.reduce((sum, { records }) => sum + records.length, 0);
      publish("ok", sizeBytes);
      await this.#accept(cursors, answers, sizeBytes);
    } catch (error) {
      if (this.#signal.aborted) return;
      publish(causeOf(error), 0);
      if (!(error instanceof SourceError) || !error.retryable) return this.fail(error);
      const now = performance.now();
      for (const cursor of cursors) this.#backOff(cursor, now, error);
      this.#refresh();
    }
  }

  async #accept(cursors: readonly Cursor[], answers: readonly FetchedPartition[], sizeBytes: number): Promise<void> {
    const held: HeldBytes = { answers, sizeBytes, chunks: 1 };
    this.#heldBytes += sizeBytes;
    try {
      for (const answer of answers) {
        const name = partitionName(answer);
        const cursor = cursors.find((one) => partitionName(one) === name);
        // Removed while the answer was on its way.
        if (cursor === undefined || this.#cursors.get(name) !== cursor) continue;
        if (answer.errorCode === 0) await this.#arrived(cursor, answer, held, cursors.length === 1);
        else await this.#judge(cursor, answer);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#release(held);
    }
    // Those that were served go behind the others, so that a small budget starves nobody.
    for (const cursor of cursors) {
      const name = partitionName(cursor);
      if (cursor.waiting > 0 && this.#cursors.delete(name)) this.#cursors.set(name, cursor);
    }
    this.wake();
  }

  async #arrived(cursor: Cursor, answer: FetchedPartition, held: HeldBytes, alone: boolean): Promise<void> {
    cursor.failures = 0;
    cursor.failingSince = undefined;
    cursor.highWatermark = answer.highWatermark;
    cursor.lastStableOffset = answer.lastStableOffset;
    cursor.logStartOffset = answer.logStartOffset;
    cursor.publishLag();
    if (answer.preferredReadReplica >= 0 && answer.records.length === 0) {
      cursor.replica = answer.preferredReadReplica;
      return;
    }
    const scan = scanBatches(answer.records, cursor.fetchFrom);
    if (scan.wholeBytes > 0 || (answer.records.length > 0 && scan.claimedBytes === 0)) {
      cursor.push(answer, scan.next, held);
      if (!this.#ready.includes(cursor)) this.#ready.push(cursor);
    } else if (answer.records.length > 0) this.#cutOff(cursor, answer, scan.claimedBytes);
    else await this.#empty(cursor, answer, alone);
  }

  /** The first batch did not come whole: it is asked for alone, with room for it. */
  #cutOff(cursor: Cursor, answer: FetchedPartition, claimedBytes: number): void {
    const { topic, partition, fetchFrom: kafkaOffset, soloBytes } = cursor;
    if (soloBytes >= claimedBytes && soloBytes > 0) {
      const place = { topic, partition, kafkaOffset };
      throw corrupt(`a record batch claims ${claimedBytes} bytes, and ${answer.records.length} came of it`, place);
    }
    if (claimedBytes > this.#settings.batchBytes) {
      throw corrupt(`a record batch claims ${claimedBytes} bytes, over batchBytes`, { topic, partition, kafkaOffset });
    }
    cursor.soloBytes = Math.max(claimedBytes, this.#settings.partitionBytes);
  }

  /**
   * Nothing came. Where the log goes on, that may be for want of room in the answer; to a fetch of its own, and again and
   * again, it means that the offsets up to the end hold nothing (compaction may leave an empty tail), unless they are in
   * remote storage, which answers so while it is slow.
   */
  async #empty(cursor: Cursor, answer: FetchedPartition, alone: boolean): Promise<void> {
    const visible = cursor.visibleEnd;
    if (cursor.fetchFrom >= visible) {
      cursor.empties = 0;
      cursor.soloBytes = 0;
      return;
    }
    cursor.soloBytes = this.#settings.partitionBytes;
    cursor.replica = -1;
    if (!alone || ++cursor.empties < EMPTY_ANSWERS) return;
    const local = (await this.#finder.find([cursor], "earliestLocal")).get(partitionName(cursor)) ?? -1;
    if (local < 0 || local > cursor.fetchFrom) return;
    if (this.#settings.onRemoved === "fail") {
      const { topic, partition, fetchFrom: kafkaOffset } = cursor;
      throw corrupt(`the broker has no records up to ${visible - 1}`, { topic, partition, kafkaOffset });
    }
    this.#skip(cursor, answer, "removed", visible);
  }

  #skip(cursor: Cursor, answer: FetchedPartition, cause: "removed" | "lost", next: number): void {
    cursor.skip(answer, cause, next);
    if (cursor.waiting > 0 && !this.#ready.includes(cursor)) this.#ready.push(cursor);
  }

  /** An error code for one partition. @throws what ends the reading */
  async #judge(cursor: Cursor, answer: FetchedPartition): Promise<void> {
    const action = errorAction(answer.errorCode);
    const error = codeError(answer.errorCode, "Fetch", this.#transport.url, cursor);
    // Followers lag behind, and come and go: the leader decides.
    const follower = cursor.replica >= 0;
    cursor.replica = -1;
    if (follower) return;
    if (action === "fatal") throw error;
    this.#backOff(cursor, performance.now(), error, errorName(answer.errorCode));
    if (action === "reset") await this.#outOfRange(cursor, answer);
    else if (action === "refresh") this.#refresh();
  }

  /** @throws what failed for too long */
  #backOff(cursor: Cursor, now: number, error: SourceError, cause = causeOf(error)): void {
    cursor.failingSince ??= now;
    cursor.failures++;
    const delayMs = backoffMs(cursor.failures);
    cursor.notBefore = now + delayMs;
    cursor.replica = -1;
    if (now - cursor.failingSince > this.#settings.retryTimeoutMs) {
      const { topic, partition, fetchFrom: kafkaOffset } = cursor;
      return this.fail(addWhere(error, { topic, partition, kafkaOffset }));
    }
    const brokerId = this.#view.partition(cursor)?.leader ?? -1;
    channels.kafkaRetry.publish({ request: "Fetch", brokerId, cause, attempt: cursor.failures, delayMs });
  }

  /** The offset is not in the log: deleted by retention, or the log is another one. */
  async #outOfRange(cursor: Cursor, answer: FetchedPartition): Promise<void> {
    await this.#view.refresh(); // a topic made again is told apart by its id
    const name = partitionName(cursor);
    const first = (await this.#finder.find([cursor], "earliest")).get(name) ?? 0;
    const last = (await this.#finder.find([cursor], "latest")).get(name) ?? 0;
    const { topic, partition, fetchFrom: kafkaOffset } = cursor;
    if (kafkaOffset > last) throw recreated(this.#transport.url, { topic, partition, kafkaOffset });
    if (kafkaOffset >= first) return; // the leader had moved
    const { onDataLoss } = this.#settings;
    if (onDataLoss === "fail") {
      throw new SourceError(`records ${kafkaOffset} to ${first - 1} are no longer in the log`, {
        where: { url: this.#transport.url, topic, partition, kafkaOffset },
        reason: "NotFound",
        remedy:
          "They were deleted before they were read: raise the topic's retention, or let onDataLoss pass over them.",
      });
    }
    cursor.notBefore = 0;
    this.#skip(cursor, answer, "lost", onDataLoss === "earliest" ? first : last);
    cursor.aligned = false;
  }
}
