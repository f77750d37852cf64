import { type JsonValue, OptionsError, type StateDict, StateError } from "@ingest-ts/core";

/** What a client asks for, after the server's defaults. */
export interface StreamRequest {
  readonly rank: number;
  readonly worldSize: number;
  readonly batchSize: number;
  /** Infinity: without end. */
  readonly epochs: number;
  /** undefined: from the beginning. */
  readonly state: StateDict | undefined;
  /** Whether the messages say what a ledger needs. */
  readonly ledger: boolean;
}

export interface StreamDefaults {
  readonly worldSize: number | undefined;
  readonly batchSize: number;
  readonly epochs: number;
}

const names = ["rank", "world", "state", "batch", "epochs", "ledger"] as const;

function wrong(what: string, remedy: string): OptionsError {
  return new OptionsError(what, { remedy });
}

function wholeNumber(name: string, text: string, minimum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
  throw wrong(`${name} is ${JSON.stringify(text)}`, `It must be a whole number of ${minimum} or more.`);
}

function stateOf(text: string): StateDict {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new StateError("state is not JSON", { remedy: "Pass on the state of the last batch, unchanged.", cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as StateDict;
  throw new StateError("state is no JSON object", { remedy: "Pass on the state of the last batch, unchanged." });
}

/**
 * The parameters of `/v1/batches`.
 *
 * @throws OptionsError for what is missing, unknown, given twice or malformed; StateError for a state that is none
 */
export function parseStreamRequest(query: URLSearchParams, defaults: StreamDefaults): StreamRequest {
  for (const name of query.keys()) {
    if (!(names as readonly string[]).includes(name)) {
      throw wrong(`there is no parameter ${JSON.stringify(name)}`, `The parameters are ${names.join(", ")}.`);
    }
    if (query.getAll(name).length > 1) throw wrong(`the parameter ${name} is given twice`, "Give it once.");
  }
  const rank = query.get("rank");
  if (rank === null) throw wrong("the parameter rank is missing", "Say which rank asks: 0 to world - 1.");
  const world = query.get("world");
  const worldSize = world === null ? defaults.worldSize : wholeNumber("world", world, 1);
  if (worldSize === undefined) {
    throw wrong("the parameter world is missing", "Say how many ranks there are, or start the server with --world.");
  }
  const rankNumber = wholeNumber("rank", rank, 0);
  if (rankNumber >= worldSize) throw wrong(`rank ${rank} of ${worldSize} ranks`, "Ranks are 0 to world - 1.");
  const batch = query.get("batch");
  const epochs = query.get("epochs");
  const state = query.get("state");
  const ledger = query.get("ledger") ?? "0";
  if (ledger !== "0" && ledger !== "1") throw wrong(`ledger is ${JSON.stringify(ledger)}`, "It is 0 or 1.");
  return {
    rank: rankNumber,
    worldSize,
    batchSize: batch === null ? defaults.batchSize : wholeNumber("batch", batch, 1),
    epochs: epochs === null ? defaults.epochs : epochs === "inf" ? Infinity : wholeNumber("epochs", epochs, 1),
    state: state === null ? undefined : stateOf(state),
    ledger: ledger === "1",
  };
}
