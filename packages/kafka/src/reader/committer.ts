import { channels, SourceError } from "@ingest-ts/core";
import { errorAction, errorName } from "../transport/error-codes.ts";
import { codeError } from "../transport/failures.ts";
import { retrying } from "../transport/retry.ts";
import type { GroupMember, OffsetCommit, PartitionError, Transport } from "../transport/types.ts";

/** What became of a commit: "fenced" when the group has moved on without this member. */
export type CommitOutcome = "ok" | "fenced";

/** Finds a group's coordinator and asks it, again when it moved. */
export class Coordinator {
  readonly #transport: Transport;
  readonly groupId: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;
  #brokerId: number | undefined;

  constructor(transport: Transport, groupId: string, timeoutMs: number, signal: AbortSignal) {
    this.#transport = transport;
    this.groupId = groupId;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /** Runs `body` with the coordinator's id; an answer that it is another one, or none, is a retryable error of `body`. */
  async ask<T>(
    request: string,
    body: (brokerId: number) => Promise<T>,
    signal: AbortSignal = this.#signal,
  ): Promise<T> {
    const policy = { request, brokerId: this.#brokerId ?? -1, timeoutMs: this.#timeoutMs, signal };
    return retrying(policy, async () => {
      try {
        this.#brokerId ??= await this.#transport.findCoordinator(this.groupId, { signal });
        return await body(this.#brokerId);
      } catch (error) {
        this.#brokerId = undefined;
        throw error;
      }
    });
  }

  /** @throws SourceError for a code that says nothing about membership */
  judge(errorCode: number, request: string): void {
    const action = errorAction(errorCode);
    if (errorCode !== 0 && action !== "rejoin") throw codeError(errorCode, request, this.#transport.url);
  }
}

/** Commits offsets, one request at a time. */
export class Committer {
  readonly #transport: Transport;
  readonly #coordinator: Coordinator;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(transport: Transport, coordinator: Coordinator) {
    this.#transport = transport;
    this.#coordinator = coordinator;
  }

  /** @throws SourceError when it is not known to be committed */
  async commit(member: GroupMember, offsets: readonly OffsetCommit[], signal?: AbortSignal): Promise<CommitOutcome> {
    const call = this.#tail.then(() => this.#commit(member, offsets, signal));
    this.#tail = call.catch(() => {});
    return call;
  }

  async #commit(member: GroupMember, offsets: readonly OffsetCommit[], signal?: AbortSignal): Promise<CommitOutcome> {
    if (offsets.length === 0) return "ok";
    try {
      const answers = await this.#coordinator.ask(
        "OffsetCommit",
        async (brokerId) => {
          const codes = await this.#transport.offsetCommit(brokerId, member, offsets, { signal });
          for (const { errorCode } of codes) this.#coordinator.judge(errorCode, "OffsetCommit");
          return codes;
        },
        signal,
      );
      this.#publish(offsets, answers);
      return answers.some(({ errorCode }) => errorCode !== 0) ? "fenced" : "ok";
    } catch (error) {
      const outcome = error instanceof SourceError ? (error.reason ?? "failed") : "failed";
      this.#publish(offsets, [], outcome);
      throw error;
    }
  }

  #publish(offsets: readonly OffsetCommit[], answers: readonly PartitionError[], otherwise = "ok"): void {
    if (!channels.kafkaCommit.hasSubscribers) return;
    const { groupId } = this.#coordinator;
    for (const { topic, partition, offset: kafkaOffset } of offsets) {
      const code = answers.find((one) => one.topic === topic && one.partition === partition)?.errorCode;
      const outcome = code === undefined || code === 0 ? otherwise : errorName(code);
      channels.kafkaCommit.publish({ groupId, topic, partition, kafkaOffset, outcome });
    }
  }
}
