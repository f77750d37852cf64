import { type JsonValue, type StateDict, StateError } from "@ingest-ts/core";
import { type Fingerprint, fingerprintOf } from "./fingerprint.ts";
import type { Manifest } from "./manifest.ts";
import { ORDER_VERSION } from "./order.ts";

/** What happens to rows that do not fill a batch on every rank. */
export type Ends = "drop" | "pad" | "uneven";

const allEnds: readonly string[] = ["drop", "pad", "uneven"];

/** A place in the order, the same for every rank: positions [0, position) of the epoch are consumed. */
export interface OrderState {
  readonly fingerprint: Fingerprint;
  readonly seed: number;
  readonly epoch: number;
  readonly position: number;
  readonly lanes: number;
  /** 0: not shuffled. */
  readonly windowRows: number;
  readonly ends: Ends;
  /** Digest of the predicate; null without one. */
  readonly where: string | null;
}

/** The state as plain JSON; a few hundred bytes whatever the data set. */
export function toStateDict(state: OrderState): StateDict {
  const { segments, rows, digest } = state.fingerprint;
  return {
    orderVersion: ORDER_VERSION,
    fingerprint: { segments, rows, digest },
    seed: state.seed,
    epoch: state.epoch,
    position: state.position,
    lanes: state.lanes,
    windowRows: state.windowRows,
    ends: state.ends,
    where: state.where,
  };
}

function refuse(what: string): never {
  throw new StateError(what, { remedy: "Restore a state that stateDict() of this loader returned." });
}

function wholeNumber(value: JsonValue | undefined, name: string, minimum = 0): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= minimum) return value;
  return refuse(`the state's ${name} is ${JSON.stringify(value)}, not a whole number of ${minimum} or more`);
}

function text(value: JsonValue | undefined, name: string): string {
  return typeof value === "string" ? value : refuse(`the state's ${name} is ${JSON.stringify(value)}, not a string`);
}

function isRecord(value: unknown): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws StateError naming the field that is missing, malformed, or of another order version. */
export function parseStateDict(state: StateDict): OrderState {
  if (!isRecord(state)) refuse("the state is not an object");
  const version = wholeNumber(state["orderVersion"], "orderVersion");
  if (version !== ORDER_VERSION) {
    throw new StateError(
      `the state has orderVersion ${version}; this release continues orderVersion ${ORDER_VERSION}`,
      {
        remedy: "Use the release that wrote the state.",
      },
    );
  }
  const fingerprint = state["fingerprint"];
  if (!isRecord(fingerprint)) refuse("the state has no fingerprint");
  const ends = text(state["ends"], "ends");
  if (!allEnds.includes(ends)) refuse(`the state's ends is "${ends}"`);
  const where = state["where"];
  return {
    fingerprint: {
      segments: wholeNumber(fingerprint["segments"], "fingerprint.segments"),
      rows: wholeNumber(fingerprint["rows"], "fingerprint.rows"),
      digest: text(fingerprint["digest"], "fingerprint.digest"),
    },
    seed: wholeNumber(state["seed"], "seed"),
    epoch: wholeNumber(state["epoch"], "epoch"),
    position: wholeNumber(state["position"], "position"),
    lanes: wholeNumber(state["lanes"], "lanes", 1),
    windowRows: wholeNumber(state["windowRows"], "windowRows"),
    ends: ends as Ends,
    where: where === null ? null : text(where, "where"),
  };
}

/** @throws StateError when the manifest does not begin with the data that the state was made for. */
export function checkFingerprint(state: OrderState, manifest: Manifest): void {
  const { segments, rows, digest } = state.fingerprint;
  const remedy =
    "Restore the data set and segmentBy as they were (a copy is good, appended segments too), or start a new run.";
  if (segments > manifest.segments.length) {
    const now = manifest.segments.length;
    throw new StateError(`the state's data had ${segments} segments, this has ${now}`, { remedy });
  }
  const now = fingerprintOf(manifest, segments);
  if (now.rows !== rows) {
    throw new StateError(`the state's data had ${rows} rows in ${segments} segments, this has ${now.rows}`, { remedy });
  }
  if (now.digest !== digest) {
    const what = `fingerprint ${digest} then, ${now.digest} now`;
    throw new StateError(`the data is not the state's: names, sizes or contents differ (${what})`, { remedy });
  }
  if (state.position > manifest.rows) {
    throw new StateError(`the state's position ${state.position} is past the ${manifest.rows} rows of the data`, {
      remedy,
    });
  }
}
