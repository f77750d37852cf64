import { channels, SourceError } from "@ingest-ts/core";
import { codeError } from "../transport/failures.ts";
import { deadline, sleep } from "../transport/retry.ts";
import type { GroupMember, JoinGroupResponse, TopicPartition, Transport } from "../transport/types.ts";
import type { ClusterView } from "./cluster.ts";
import type { Coordinator } from "./committer.ts";
import {
  type Assignor,
  assign,
  assignors,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "./group-protocol.ts";

const MEMBER_ID_REQUIRED = 79;
const UNKNOWN_MEMBER = 25;
const FENCED_INSTANCE = 82;
const REBALANCE_IN_PROGRESS = 27;
const LEAVE_MS = 5_000;

/** What a member is told. */
export interface MembershipEvents {
  /** Partitions to read from now on, as `member`. */
  assigned(partitions: readonly TopicPartition[], member: GroupMember): Promise<void>;
  /** They go. "revoked": drain, commit, then return. "lost": the group has moved on already. */
  revoked(cause: "revoked" | "lost" | "left"): Promise<void>;
  failed(error: unknown): void;
}

export interface MembershipOptions {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** Why a generation ended. */
type Ending = "rebalance" | "lost" | "closed";

/**
 * One member of a consumer group, by the classic protocol with eager rebalances. Heartbeats have a timer and a connection
 * of their own: rows may take as long as they like, as long as the event loop turns.
 */
export class Membership {
  readonly #transport: Transport;
  readonly #coordinator: Coordinator;
  readonly #view: ClusterView;
  readonly #options: MembershipOptions;
  readonly #events: MembershipEvents;
  readonly #signal: AbortSignal;
  /** Fires when this member is to leave. */
  readonly #leaving = new AbortController();
  #memberId = "";
  #generation = -1;
  #rejoin = false;
  #wakeBeat: (() => void) | undefined;
  #run: Promise<void> | undefined;

  constructor(
    transport: Transport,
    coordinator: Coordinator,
    view: ClusterView,
    options: MembershipOptions,
    events: MembershipEvents,
    signal: AbortSignal,
  ) {
    this.#transport = transport;
    this.#coordinator = coordinator;
    this.#view = view;
    this.#options = options;
    this.#events = events;
    this.#signal = signal;
  }

  get #member(): GroupMember {
    const { groupId, instanceId } = this.#options;
    return { groupId, generation: this.#generation, memberId: this.#memberId, instanceId };
  }

  start(): void {
    this.#run ??= this.#live().catch((error: unknown) => {
      if (!this.#signal.aborted) this.#events.failed(error);
    });
  }

  /** The group is to be divided anew, for example because there are more partitions. */
  rejoin(): void {
    this.#rejoin = true;
    this.#wakeBeat?.();
  }

  /** Asks the group whether this generation's partitions are still this member's. @throws SourceError when it does not answer */
  async confirm(): Promise<boolean> {
    const code = await this.#heartbeat(this.#options.sessionTimeoutMs);
    // Until this member joins again the others wait for it.
    if (code === 0 || code === REBALANCE_IN_PROGRESS) return true;
    this.#wakeBeat?.();
    return false;
  }

  /** Drains, commits and leaves; a static member only goes quiet, and finds its partitions when it comes back in time. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#wakeBeat?.();
    await this.#run;
  }

  async #live(): Promise<void> {
    while (!this.#leaving.signal.aborted) {
      const started = performance.now();
      const partitions = await this.#join();
      if (partitions === undefined) continue;
      await this.#events.assigned(partitions, this.#member);
      this.#publish("joined", partitions.length, performance.now() - started);
      const ending = await this.#beat();
      const drained = performance.now();
      const cause = ending === "rebalance" ? "revoked" : ending === "closed" ? "left" : "lost";
      // The group waits for this member while it drains, so that it must go on being heard.
      const beating = ending === "lost" ? undefined : this.#beatWhile();
      await this.#events.revoked(cause);
      await beating?.stop();
      this.#publish(cause, 0, performance.now() - drained);
    }
    await this.#leave();
  }

  #publish(cause: "joined" | "revoked" | "lost" | "left", partitions: number, durationMs: number): void {
    const { groupId } = this.#options;
    channels.kafkaRebalance.publish({ groupId, generation: this.#generation, cause, partitions, durationMs });
  }

  /** @returns undefined when it has to be tried again */
  async #join(): Promise<readonly TopicPartition[] | undefined> {
    const { groupId, instanceId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const metadata = encodeSubscription(topics);
    this.#rejoin = false;
    const signal = AbortSignal.any([this.#signal, this.#leaving.signal]);
    try {
      const joined = await this.#coordinator.ask(
        "JoinGroup",
        async (brokerId) => {
          const protocols = assignors.map((name) => ({ name, metadata }));
          const memberId = this.#memberId;
          const request = { groupId, memberId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocols };
          const answer = await this.#transport.joinGroup(brokerId, request, { signal });
          this.#coordinator.judge(answer.errorCode, "JoinGroup");
          return answer;
        },
        signal,
      );
      if (joined.errorCode === 0) return await this.#sync(joined, signal);
      if (joined.errorCode === MEMBER_ID_REQUIRED) this.#memberId = joined.memberId;
      else this.#forget(joined.errorCode);
      return undefined;
    } catch (error) {
      if (this.#leaving.signal.aborted) return undefined;
      throw error;
    }
  }

  #forget(errorCode: number): void {
    if (errorCode === UNKNOWN_MEMBER) this.#memberId = "";
  }

  async #sync(joined: JoinGroupResponse, signal: AbortSignal): Promise<readonly TopicPartition[] | undefined> {
    this.#memberId = joined.memberId;
    this.#generation = joined.generation;
    const leads = joined.leaderId === joined.memberId && joined.members.length > 0;
    const assignments = leads ? await this.#assign(joined) : [];
    const answer = await this.#coordinator.ask(
      "SyncGroup",
      async (brokerId) => {
        const synced = await this.#transport.syncGroup(brokerId, this.#member, assignments, { signal });
        this.#coordinator.judge(synced.errorCode, "SyncGroup");
        return synced;
      },
      signal,
    );
    if (answer.errorCode === 0) return decodeAssignment(answer.assignment);
    this.#forget(answer.errorCode);
    return undefined;
  }

  async #assign(
    joined: JoinGroupResponse,
  ): Promise<readonly { readonly memberId: string; readonly assignment: Uint8Array }[]> {
    const members = joined.members.map(({ memberId, instanceId, metadata }) => {
      return { memberId, instanceId, topics: decodeSubscription(metadata) };
    });
    // Members may read topics that this one does not.
    const topics = [...new Set(members.flatMap((member) => member.topics))].toSorted();
    const info = await this.#transport.metadata(topics, { signal: this.#signal });
    const byName = info.topics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const partitions = byName.flatMap((topic) => topic.partitions);
    await this.#view.refresh();
    const given = assign(joined.protocol as Assignor, members, partitions);
    return [...given].map(([memberId, own]) => ({ memberId, assignment: encodeAssignment(own) }));
  }

  /** Beats until this generation ends. */
  async #beat(): Promise<Ending> {
    const { heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    let heardAt = performance.now();
    for (;;) {
      await this.#pause(heartbeatIntervalMs);
      if (this.#leaving.signal.aborted || this.#signal.aborted) return "closed";
      if (this.#rejoin) return "rebalance";
      try {
        const code = await this.#heartbeat(sessionTimeoutMs);
        heardAt = performance.now();
        if (code === REBALANCE_IN_PROGRESS) return "rebalance";
        if (code === FENCED_INSTANCE) throw codeError(code, "Heartbeat", this.#transport.url);
        if (code !== 0) {
          this.#forget(code);
          return "lost";
        }
      } catch (error) {
        if (this.#leaving.signal.aborted || this.#signal.aborted) return "closed";
        if (!(error instanceof SourceError) || !error.retryable) throw error;
        // Not heard for so long, the group has given the partitions to others.
        if (performance.now() - heardAt > sessionTimeoutMs) return "lost";
      }
    }
  }

  /** @returns an error code about membership, or 0 */
  async #heartbeat(timeoutMs: number): Promise<number> {
    const { signal, release } = deadline(this.#signal, timeoutMs);
    try {
      return await this.#coordinator.ask(
        "Heartbeat",
        async (brokerId) => {
          const code = await this.#transport.heartbeat(brokerId, this.#member, { signal });
          if (code !== FENCED_INSTANCE) this.#coordinator.judge(code, "Heartbeat");
          return code;
        },
        signal,
      );
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      throw late ? new SourceError("heartbeats find no answer", { reason: "Stalled", retryable: true }) : error;
    } finally {
      release();
    }
  }

  /** Sleeps, unless somebody has news. */
  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wakeBeat = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#leaving.signal.aborted || this.#signal.aborted) this.#wakeBeat();
    });
  }

  /** Beats on while partitions are drained; what it is told it learns again by joining. */
  #beatWhile(): { stop(): Promise<void> } {
    const control = new AbortController();
    const { heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    const beat = async (): Promise<void> => {
      while (!control.signal.aborted) {
        await sleep(heartbeatIntervalMs, control.signal);
        await this.#heartbeat(sessionTimeoutMs);
      }
    };
    const run = beat().catch(() => {});
    return {
      stop: async () => {
        control.abort();
        await run;
      },
    };
  }

  async #leave(): Promise<void> {
    if (this.#options.instanceId !== null || this.#memberId === "" || this.#signal.aborted) return;
    const { signal, release } = deadline(this.#signal, LEAVE_MS);
    try {
      const brokerId = await this.#transport.findCoordinator(this.#options.groupId, { signal });
      await this.#transport.leaveGroup(brokerId, this.#member, { signal });
    } catch {
      // The session then ends by its time-out.
    } finally {
      release();
    }
  }
}
