import { OptionsError, type StateDict, StateError } from "@ingest-ts/core";
import { prepareRecords } from "../records/index.ts";
import { openTransport } from "../transport/kafkajs-transport.ts";
import type { TopicPartition, Transport } from "../transport/types.ts";
import { ClusterView, recreated } from "./cluster.ts";
import { Committer, Coordinator } from "./committer.ts";
import { Cursor } from "./cursor.ts";
import { Fetcher } from "./fetcher.ts";
import { Monitor } from "./monitor.ts";
import { OffsetFinder, partitionName } from "./offsets.ts";
import { readerSignal, type Settings, settingsOf } from "./settings.ts";
import { type KafkaState, readState } from "./state.ts";
import type { AckOutcome, AssignOptions, KafkaReader, KafkaSlab, PartitionPosition } from "./types.ts";

/** Parts of a reader that is open. */
interface Parts {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly view: ClusterView;
  readonly finder: OffsetFinder;
  readonly control: AbortController;
  readonly signal: AbortSignal;
}

class AssignReader implements KafkaReader {
  readonly mode = "assign";
  readonly #options: AssignOptions;
  readonly #parts: Parts;
  readonly #fetcher: Fetcher;
  readonly #monitor: Monitor | undefined;
  readonly #bounded: boolean;
  #counts: Readonly<Record<string, number>>;
  #cursors: Cursor[];
  #started = false;
  #closing: Promise<void> | undefined;
  #discovery: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AssignOptions, parts: Parts, cursors: Cursor[], bounded: boolean) {
    const { transport, view, finder, settings, signal } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#cursors = cursors;
    this.#bounded = bounded;
    this.#counts = view.counts;
    this.#fetcher = new Fetcher(transport, view, finder, settings, signal);
    const { monitorGroupId } = options;
    if (monitorGroupId === undefined) return;
    const coordinator = new Coordinator(transport, monitorGroupId, settings.retryTimeoutMs, signal);
    this.#monitor = new Monitor(monitorGroupId, new Committer(transport, coordinator));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get positions(): readonly PartitionPosition[] {
    return sorted(this.#cursors).map(({ place }) => place);
  }

  get topicIds(): Readonly<Record<string, string>> {
    return this.#parts.view.topicIds;
  }

  stateDict(): StateDict {
    const { settings, view } = this.#parts;
    const topics = settings.topics.map((topic) => {
      const own = sorted(this.#cursors.filter((cursor) => cursor.topic === topic));
      const partitions = Object.fromEntries(
        own.map(({ partition, handed, end, leaderEpoch }) => [partition, [handed, end ?? null, leaderEpoch] as const]),
      );
      return [topic, { topicId: view.topicId(topic), count: this.#counts[topic] ?? 0, partitions }] as const;
    });
    const { isolation } = settings;
    return { kafkaState: 1, isolation, bounded: this.#bounded, topics: Object.fromEntries(topics) };
  }

  loadStateDict(dict: StateDict): void {
    if (this.#started)
      throw new StateError("a state is loaded before the first slab", { remedy: "Open a new reader." });
    const state = readState(dict);
    this.#checkState(state);
    this.#cursors = this.#cursors.flatMap((cursor) => {
      const topic = state.topics[cursor.topic];
      const saved = topic?.partitions[cursor.partition];
      if (topic !== undefined && saved !== undefined) {
        const [position, end, leaderEpoch] = saved;
        const span = { position, end: end ?? undefined, epoch: 0, leaderEpoch };
        return [new Cursor(cursor, span, this.#parts.settings)];
      }
      if (topic === undefined || cursor.partition < topic.count) throw this.#missing(cursor);
      // New since: read from its beginning, or not at all where ends are frozen.
      return state.bounded ? [] : [new Cursor(cursor, { position: 0, end: undefined, epoch: 0 }, this.#parts.settings)];
    });
  }

  #missing({ topic, partition }: TopicPartition): StateError {
    return new StateError("the state leaves out a partition", {
      where: { topic, partition },
      remedy: "Merge the states of all ranks, and load the result on each.",
    });
  }

  #checkState(state: KafkaState): void {
    const { settings, view } = this.#parts;
    const differs = (what: string, topic?: string): StateError =>
      new StateError(what, { where: { topic }, remedy: "Resume with the options of the run that the state is of." });
    if (state.isolation !== settings.isolation) throw differs(`the state is of isolation "${state.isolation}"`);
    if (state.bounded !== this.#bounded) {
      throw differs(`the state is of a run ${state.bounded ? "with" : "without"} an end`);
    }
    for (const topic of Object.keys(state.topics)) {
      if (!settings.topics.includes(topic)) throw differs("the state has a topic that is not read", topic);
    }
    for (const topic of settings.topics) {
      const saved = state.topics[topic]?.topicId ?? null;
      const now = view.topicId(topic);
      if (saved === null || now === null || saved === now) continue;
      throw new StateError("the topic was deleted and made again since the state was saved", {
        where: { topic },
        remedy: "Begin anew, without the state.",
      });
    }
  }

  next(): Promise<IteratorResult<KafkaSlab, undefined>> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #next(): Promise<IteratorResult<KafkaSlab, undefined>> {
    if (this.#closing !== undefined) return { done: true, value: undefined };
    this.#start();
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const value = this.#fetcher.take();
      if (value !== undefined) return { done: false, value };
      if (this.#closing !== undefined) return { done: true, value: undefined };
      if (this.#bounded && this.#fetcher.done) {
        await this.close(); // a loop that comes to its end calls nothing more, and connections would keep the process
        return { done: true, value: undefined };
      }
      await this.#fetcher.changed();
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#fetcher.add(this.#cursors);
    this.#discoverLater();
  }

  readonly #onAbort = (): void => this.#fetcher.wake();

  #discoverLater(): void {
    const { discoveryIntervalMs } = this.#parts.settings;
    if (discoveryIntervalMs === 0) return;
    this.#discovery = setTimeout(() => {
      this.#discover().then(
        () => this.#discoverLater(),
        (error: unknown) => {
          if (!this.#parts.signal.aborted) this.#fetcher.fail(error);
        },
      );
    }, discoveryIntervalMs);
    this.#discovery.unref();
  }

  /** Also finds topics that were made again. */
  async #discover(): Promise<void> {
    const { view, settings, finder } = this.#parts;
    try {
      await view.refresh();
    } catch (error) {
      if (error instanceof Error && "retryable" in error && error.retryable === true) return;
      throw error;
    }
    const fresh = ownPartitions(view.partitions, settings, this.#options).filter(
      ({ topic, partition }) => partition >= (this.#counts[topic] ?? 0),
    );
    if (!this.#bounded && fresh.length > 0) {
      const starts = await finder.find(fresh, "earliest");
      const cursors = fresh.map((one) => {
        return new Cursor(one, { position: starts.get(partitionName(one)) ?? 0, end: undefined, epoch: 0 }, settings);
      });
      this.#cursors.push(...cursors);
      this.#fetcher.add(cursors);
    }
    this.#counts = view.counts;
  }

  ack({ topic, partition, endOffset }: Pick<KafkaSlab, "topic" | "partition" | "endOffset">): Promise<AckOutcome> {
    const cursor = this.#cursors.find((one) => one.topic === topic && one.partition === partition);
    if (cursor === undefined) return Promise.resolve("fenced");
    this.#monitor?.note({ topic, partition, offset: endOffset, leaderEpoch: cursor.leaderEpoch, metadata: "" });
    return Promise.resolve("deferred");
  }

  holds(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async return(): Promise<IteratorResult<KafkaSlab, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { control, transport } = this.#parts;
    clearTimeout(this.#discovery);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    await this.#monitor?.close();
    control.abort();
    this.#fetcher.wake();
    await this.#fetcher.settled();
    await transport.close();
  }
}

function sorted<T extends TopicPartition>(partitions: readonly T[]): T[] {
  return partitions.toSorted((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
}

/** Partition p of the k-th topic belongs to rank (k + p) mod worldSize. */
function ownPartitions<T extends TopicPartition>(all: readonly T[], settings: Settings, options: AssignOptions): T[] {
  const { rank, worldSize } = options.world ?? { rank: 0, worldSize: 1 };
  const chosen = options.partitions;
  return all.filter(({ topic, partition }) => {
    if (chosen !== undefined && chosen[topic]?.includes(partition) !== true) return false;
    return (settings.topics.indexOf(topic) + partition) % worldSize === rank;
  });
}

function checkWorld({ world }: AssignOptions, partitions: number): void {
  if (world === undefined) return;
  const { rank, worldSize } = world;
  if (
    !Number.isSafeInteger(worldSize) ||
    worldSize < 1 ||
    !Number.isSafeInteger(rank) ||
    rank < 0 ||
    rank >= worldSize
  ) {
    throw new OptionsError(`rank ${rank} of ${worldSize} is none`, { remedy: "Ranks go from 0 to worldSize - 1." });
  }
  if (worldSize <= partitions) return;
  throw new OptionsError(`${worldSize} ranks share ${partitions} partitions`, {
    remedy: "Use as many ranks as partitions at most, or sealed windows, which deal rows to any number of ranks.",
  });
}

function checkChosen(options: AssignOptions, all: readonly TopicPartition[]): void {
  for (const [topic, partitions] of Object.entries(options.partitions ?? {})) {
    for (const partition of partitions) {
      if (all.some((one) => one.topic === topic && one.partition === partition)) continue;
      throw new OptionsError("there is no such partition", {
        where: { topic, partition },
        remedy: "Name those that exist.",
      });
    }
  }
}

function checkSpan({ topic, partition }: TopicPartition, position: number, end: number | undefined): void {
  if (end === undefined || position <= end) return;
  throw new OptionsError(`reading would begin at ${position} and end at ${end}`, {
    where: { topic, partition },
    remedy: "Begin earlier, or end later.",
  });
}

/** @throws OptionsError, SourceError */
export async function openAssign(options: AssignOptions): Promise<KafkaReader> {
  const settings = settingsOf(options);
  const transport = openTransport(options.connection);
  const control = new AbortController();
  const signal = readerSignal(control, options.signal);
  const { retryTimeoutMs, isolation, topics } = settings;
  const view = new ClusterView(transport, topics, retryTimeoutMs, signal);
  const finder = new OffsetFinder(transport, view, isolation, retryTimeoutMs, signal);
  try {
    await Promise.all([prepareRecords(), view.open()]);
    for (const topic of topics) {
      const [before, now] = [options.topicIds?.[topic], view.topicId(topic)];
      if (before !== undefined && now !== null && before !== now) throw recreated(transport.url, { topic });
    }
    const all = view.partitions;
    checkWorld(options, all.length);
    checkChosen(options, all);
    const own = ownPartitions(all, settings, options);
    const end = options.end ?? "none";
    const ends = await finder.ends(own, end);
    const starts = await finder.starts(own, options.start ?? "earliest");
    const cursors = own.map((one) => {
      const name = partitionName(one);
      const until = ends.get(name);
      const found = starts.get(name) ?? 0;
      // Records may have been written or deleted between the two questions.
      const asked = typeof options.start === "object" && "offsets" in options.start;
      const position = asked || until === undefined ? found : Math.min(found, until);
      checkSpan(one, position, until);
      return new Cursor(one, { position, end: until, epoch: 0 }, settings);
    });
    const parts = { settings, transport, view, finder, control, signal };
    return new AssignReader(options, parts, cursors, end !== "none");
  } catch (error) {
    control.abort();
    await transport.close();
    throw error;
  }
}
