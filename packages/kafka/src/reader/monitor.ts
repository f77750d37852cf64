import type { OffsetCommit } from "../transport/types.ts";
import type { Committer } from "./committer.ts";
import { partitionName } from "./offsets.ts";

const INTERVAL_MS = 1_000;

/**
 * Commits what was acknowledged for whoever watches the group's lag: at most once a second, and nothing fails when it
 * fails, since nothing is ever read from it.
 */
export class Monitor {
  readonly #groupId: string;
  readonly #committer: Committer;
  readonly #pending = new Map<string, OffsetCommit>();
  #timer: NodeJS.Timeout | undefined;

  constructor(groupId: string, committer: Committer) {
    this.#groupId = groupId;
    this.#committer = committer;
  }

  note(offset: OffsetCommit): void {
    this.#pending.set(partitionName(offset), offset);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#commit();
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  async #commit(): Promise<void> {
    const offsets = [...this.#pending.values()];
    this.#pending.clear();
    const member = { groupId: this.#groupId, generation: -1, memberId: "", instanceId: null };
    await this.#committer.commit(member, offsets, AbortSignal.timeout(5 * INTERVAL_MS)).catch(() => {});
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#commit();
  }
}
