import { OptionsError, type StateDict, StateError } from "@ingest-ts/core";
import { prepareRecords } from "../records/index.ts";
import { codeError } from "../transport/failures.ts";
import { openTransport } from "../transport/kafkajs-transport.ts";
import type { GroupMember, OffsetCommit, TopicPartition, Transport } from "../transport/types.ts";
import { ClusterView } from "./cluster.ts";
import { Committer, Coordinator } from "./committer.ts";
import { Cursor } from "./cursor.ts";
import { Fetcher } from "./fetcher.ts";
import { Membership } from "./membership.ts";
import { OffsetFinder, partitionName } from "./offsets.ts";
import { readerSignal, type Settings, settingsOf, wholeNumber } from "./settings.ts";
import type { AckOutcome, GroupOptions, KafkaReader, KafkaSlab, PartitionPosition } from "./types.ts";

type Acknowledged = Pick<KafkaSlab, "topic" | "partition" | "endOffset" | "epoch">;

interface Parts {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly view: ClusterView;
  readonly finder: OffsetFinder;
  readonly coordinator: Coordinator;
  readonly control: AbortController;
  readonly signal: AbortSignal;
}

interface Numbers {
  readonly commitEvery: number;
  readonly drainTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

class GroupReader implements KafkaReader {
  readonly mode = "group";
  readonly #options: GroupOptions;
  readonly #numbers: Numbers;
  readonly #parts: Parts;
  readonly #fetcher: Fetcher;
  readonly #committer: Committer;
  readonly #membership: Membership;
  /** Acknowledged and not yet committed. */
  readonly #pending = new Map<string, OffsetCommit>();
  #sinceCommit = 0;
  #member: GroupMember | undefined;
  /** Rises with every assignment and at its end: what was acknowledged for another one is fenced. */
  #epoch = 0;
  /** The last slab handed over, until it is acknowledged ("next"), and by partition the last ends handed over ("call"). */
  #last: KafkaSlab | undefined;
  readonly #outstanding = new Map<string, number>();
  #drained: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #discovery: NodeJS.Timeout | undefined;
  #started = false;

  constructor(options: GroupOptions, numbers: Numbers, parts: Parts) {
    const { transport, view, finder, settings, coordinator, signal } = parts;
    this.#options = options;
    this.#numbers = numbers;
    this.#parts = parts;
    this.#fetcher = new Fetcher(transport, view, finder, settings, signal);
    this.#committer = new Committer(transport, coordinator);
    const { groupId, instanceId = null } = options;
    const membership = { groupId, instanceId, topics: settings.topics, ...numbers };
    const events = {
      assigned: (partitions: readonly TopicPartition[], member: GroupMember) => this.#assigned(partitions, member),
      revoked: (cause: "revoked" | "lost" | "left") => this.#revoked(cause),
      failed: (error: unknown) => this.#fetcher.fail(error),
    };
    this.#membership = new Membership(transport, coordinator, view, membership, events, signal);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get positions(): readonly PartitionPosition[] {
    const places = this.#fetcher.cursors.map(({ place }) => place);
    return places.toSorted((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
  }

  /** Offsets live in the group. */
  stateDict(): StateDict {
    return {};
  }

  loadStateDict(): void {
    throw new StateError("a member of a group has no state", {
      remedy: 'The group keeps the offsets; use mode "assign" to resume from a checkpoint.',
    });
  }

  next(): Promise<IteratorResult<KafkaSlab, undefined>> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #next(): Promise<IteratorResult<KafkaSlab, undefined>> {
    const last = this.#last;
    if (last !== undefined && (this.#options.acknowledge ?? "next") === "next") {
      this.#last = undefined;
      await this.ack(last);
    }
    if (this.#closing === undefined) this.#start();
    for (;;) {
      this.#options.signal?.throwIfAborted();
      if (this.#closing !== undefined) return { done: true, value: undefined };
      const value = this.#fetcher.take();
      if (value !== undefined) {
        this.#last = value;
        this.#outstanding.set(partitionName(value), value.endOffset);
        return { done: false, value };
      }
      await this.#fetcher.changed();
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#membership.start();
    this.#discoverLater();
  }

  readonly #onAbort = (): void => this.#fetcher.wake();

  #discoverLater(): void {
    const { discoveryIntervalMs } = this.#parts.settings;
    if (discoveryIntervalMs === 0) return;
    this.#discovery = setTimeout(() => {
      const { view } = this.#parts;
      const before = JSON.stringify(view.counts);
      view.refresh().then(
        () => {
          if (JSON.stringify(view.counts) !== before) this.#membership.rejoin();
          this.#discoverLater();
        },
        (error: unknown) => {
          if (this.#parts.signal.aborted) return;
          if (error instanceof Error && "retryable" in error && error.retryable === true) this.#discoverLater();
          else this.#fetcher.fail(error);
        },
      );
    }, discoveryIntervalMs);
    this.#discovery.unref();
  }

  async #assigned(partitions: readonly TopicPartition[], member: GroupMember): Promise<void> {
    const epoch = ++this.#epoch;
    this.#member = member;
    this.#sinceCommit = 0;
    const starts = await this.#starts(partitions);
    const cursors = partitions.map((one) => {
      return new Cursor(
        one,
        { position: starts.get(partitionName(one)) ?? 0, end: undefined, epoch },
        this.#parts.settings,
      );
    });
    this.#options.onAssign?.(partitions);
    this.#fetcher.add(cursors);
  }

  async #starts(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    if (partitions.length === 0) return new Map();
    const { transport, coordinator, finder, view, signal } = this.#parts;
    const { groupId, start = "earliest" } = this.#options;
    const committed = await coordinator.ask("OffsetFetch", async (brokerId) => {
      const answers = await transport.offsetFetch(brokerId, groupId, partitions, { signal });
      const failed = answers.find(({ errorCode }) => errorCode !== 0);
      if (failed !== undefined) throw codeError(failed.errorCode, "OffsetFetch", transport.url, failed);
      return answers;
    });
    const starts = new Map(
      committed.filter(({ offset }) => offset >= 0).map((one) => [partitionName(one), one.offset] as const),
    );
    const without = partitions.filter((one) => !starts.has(partitionName(one)));
    if (without.length === 0) return starts;
    // The leader may know of partitions before this member does.
    if (without.some((one) => view.partition(one) === undefined)) await view.refresh();
    for (const [name, offset] of await finder.starts(without, start)) starts.set(name, offset);
    return starts;
  }

  /** Stops fetching, lets what was handed over be acknowledged for a bounded time, commits, and fences. */
  async #revoked(cause: "revoked" | "lost" | "left"): Promise<void> {
    const cursors = this.#fetcher.cursors;
    this.#fetcher.remove(cursors);
    if (cause !== "lost") {
      await this.#drain(cursors, cause);
      await this.#commit().catch(() => {}); // read again by the next owner
    }
    this.#epoch++;
    this.#member = undefined;
    this.#pending.clear();
    this.#outstanding.clear();
  }

  async #drain(cursors: readonly Cursor[], cause: "revoked" | "left"): Promise<void> {
    const { drainTimeoutMs } = this.#numbers;
    const signal = AbortSignal.timeout(drainTimeoutMs);
    const late = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const partitions = cursors.map(({ topic, partition }) => ({ topic, partition }));
    const told = this.#options.onRevoke?.(partitions, { signal });
    const acknowledged = new Promise<void>((resolve) => {
      this.#drained = resolve;
      // Whoever closes the reader asks for no more: what is not acknowledged by then comes again.
      if (this.#outstanding.size === 0 || cause === "left") resolve();
    });
    // Whoever is told when partitions go has said all it will say when it returns.
    const drained = told === undefined ? acknowledged : Promise.race([told, Promise.all([told, acknowledged])]);
    await Promise.race([drained.catch(() => {}), late]);
    this.#drained = undefined;
  }

  async ack(slab: Acknowledged): Promise<AckOutcome> {
    const { topic, partition, endOffset, epoch } = slab;
    if (epoch !== this.#epoch || this.#member === undefined) return "fenced";
    const name = partitionName(slab);
    if ((this.#pending.get(name)?.offset ?? -1) < endOffset) {
      this.#pending.set(name, { topic, partition, offset: endOffset, leaderEpoch: -1, metadata: "" });
    }
    if ((this.#outstanding.get(name) ?? -1) <= endOffset) this.#outstanding.delete(name);
    this.#sinceCommit++;
    const due = this.#sinceCommit >= this.#numbers.commitEvery;
    // While partitions are drained the last acknowledgements are committed together.
    if (this.#outstanding.size === 0) this.#drained?.();
    if (!due) return "deferred";
    return (await this.#commit()) === "ok" ? "committed" : "fenced";
  }

  get topicIds(): Readonly<Record<string, string>> {
    return this.#parts.view.topicIds;
  }

  async holds({ epoch }: Pick<KafkaSlab, "epoch">): Promise<boolean> {
    if (epoch !== this.#epoch || this.#member === undefined) return false;
    return (await this.#membership.confirm()) && epoch === this.#epoch;
  }

  async #commit(): Promise<"ok" | "fenced"> {
    const member = this.#member;
    if (member === undefined) return "fenced";
    const offsets = [...this.#pending.values()];
    this.#pending.clear();
    this.#sinceCommit = 0;
    const outcome = await this.#committer.commit(member, offsets, this.#parts.signal).catch((error: unknown) => {
      for (const one of offsets) if (!this.#pending.has(partitionName(one))) this.#pending.set(partitionName(one), one);
      throw error;
    });
    // Joining again would give the partitions to somebody: this member among them.
    if (outcome === "fenced") this.#membership.rejoin();
    return outcome;
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
    this.#fetcher.wake();
    if (this.#started) await this.#membership.leave();
    control.abort();
    await this.#fetcher.settled();
    await transport.close();
  }
}

function numbersOf(options: GroupOptions): Numbers {
  const numbers = {
    commitEvery: wholeNumber("commitEvery", options.commitEvery, 1, 1),
    drainTimeoutMs: wholeNumber("drainTimeoutMs", options.drainTimeoutMs, 10_000, 0),
    sessionTimeoutMs: wholeNumber("sessionTimeoutMs", options.sessionTimeoutMs, 45_000, 1),
    rebalanceTimeoutMs: wholeNumber("rebalanceTimeoutMs", options.rebalanceTimeoutMs, 60_000, 1),
    heartbeatIntervalMs: wholeNumber("heartbeatIntervalMs", options.heartbeatIntervalMs, 3_000, 1),
  };
  if (numbers.heartbeatIntervalMs * 2 > numbers.sessionTimeoutMs) {
    throw new OptionsError("a session has room for no second heartbeat", {
      remedy: "Make sessionTimeoutMs at least three times heartbeatIntervalMs.",
    });
  }
  if (numbers.drainTimeoutMs >= numbers.rebalanceTimeoutMs) {
    throw new OptionsError("drainTimeoutMs leaves no time to join again", {
      remedy: "Make rebalanceTimeoutMs larger than drainTimeoutMs.",
    });
  }
  return numbers;
}

/** @throws OptionsError, SourceError */
export async function openGroup(options: GroupOptions): Promise<KafkaReader> {
  const settings = settingsOf(options);
  const numbers = numbersOf(options);
  if (options.groupId === "") throw new OptionsError("groupId is empty", { remedy: "Name the group." });
  const transport = openTransport(options.connection);
  const control = new AbortController();
  const signal = readerSignal(control, options.signal);
  const { retryTimeoutMs, isolation, topics } = settings;
  const view = new ClusterView(transport, topics, retryTimeoutMs, signal);
  const finder = new OffsetFinder(transport, view, isolation, retryTimeoutMs, signal);
  const coordinator = new Coordinator(transport, options.groupId, retryTimeoutMs, signal);
  try {
    await Promise.all([prepareRecords(), view.open()]);
    return new GroupReader(options, numbers, { settings, transport, view, finder, coordinator, control, signal });
  } catch (error) {
    control.abort();
    await transport.close();
    throw error;
  }
}
