import { channels } from "@ingest-ts/core";
import { onSettings, storageSettings } from "../settings.ts";
import { HedgePolicy } from "./hedge-policy.ts";
import { sharedLimiter } from "./limiter.ts";
import { onAbort } from "./on-abort.ts";
import type { Answer, RangeAsk, Transport } from "./transport.ts";

/** An answer that began to come, and how to give it up. */
export interface Begun {
  readonly answer: Answer;
  readonly hedge: boolean;
  readonly firstByteMs: number;
  readonly abort: (reason: Error) => void;
}

const newPolicies = (): Record<"s3" | "http", HedgePolicy> => ({ s3: new HedgePolicy(), http: new HedgePolicy() });
let policies = newPolicies();
onSettings(() => {
  policies = newPolicies();
});

/**
 * Sends a request and, when its answer is late, the same once more over other connections: whichever answers first is
 * taken, the other one aborted.
 */
export async function firstAnswer(transport: Transport, ask: RangeAsk, signal: AbortSignal): Promise<Begun> {
  const { hedgeShare, hedgeMs } = storageSettings();
  const policy = policies[transport.target.store];
  if (hedgeShare > 0) policy.sent(hedgeShare);
  const first = begin(transport, ask, false, signal);
  if (hedgeShare === 0) return settled(first, policy);
  const late = await isLate(first.begun, policy.lateMs(hedgeMs));
  if (!late || sharedLimiter().throttled || !policy.take()) return settled(first, policy);
  const second = begin(transport, ask, true, signal);
  try {
    const winner = await Promise.any([first.begun, second.begun]);
    giveUp(winner.hedge ? first : second, transport);
    policy.answered(winner.firstByteMs);
    return winner;
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

interface Sent {
  readonly begun: Promise<Begun>;
  readonly abort: (reason: Error) => void;
  readonly hedge: boolean;
  readonly startedAt: number;
}

function begin(transport: Transport, ask: RangeAsk, hedge: boolean, signal: AbortSignal): Sent {
  const controller = new AbortController();
  const abort = (reason: Error): void => controller.abort(reason);
  // The signal is of one attempt and goes with it.
  onAbort(signal, (reason) => controller.abort(reason));
  const startedAt = performance.now();
  const begun = transport
    .get(ask, { signal: controller.signal, hedge })
    .then((answer) => ({ answer, hedge, firstByteMs: performance.now() - startedAt, abort }));
  // Of two, the loser's failure is nobody's concern.
  begun.catch(() => {});
  return { begun, abort, hedge, startedAt };
}

async function settled({ begun }: Sent, policy: HedgePolicy): Promise<Begun> {
  const answered = await begun;
  policy.answered(answered.firstByteMs);
  return answered;
}

/** Whether nothing is there after `ms`. */
async function isLate(begun: Promise<Begun>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  try {
    return await Promise.race([begun.then(isThere, isThere), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function isThere(): false {
  return false;
}

function giveUp({ begun, abort, hedge, startedAt }: Sent, { target: { store, url } }: Transport): void {
  abort(new Error("another request was faster"));
  void begun.then(
    ({ answer }) => answer.body.destroy(),
    () => {},
  );
  if (channels.storageRequest.hasSubscribers) {
    const durationMs = performance.now() - startedAt;
    const message = { store, op: "get", url, outcome: "aborted", attempt: 1, hedge, sizeBytes: 0 } as const;
    channels.storageRequest.publish({ ...message, firstByteMs: undefined, durationMs });
  }
}
