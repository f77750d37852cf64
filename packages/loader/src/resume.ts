import { StateError } from "@ingest-ts/core";
import type { OrderState } from "@ingest-ts/sharder";
import type { OrderSettings, Settings } from "./options.ts";

function show(name: keyof OrderSettings, value: number | string): string {
  return name === "windowRows" && value === 0 ? "shuffle: false" : `${name} ${value}`;
}

/**
 * The settings that a state goes on with: its own, with which everything that the caller gave must agree.
 *
 * @throws StateError naming what differs.
 */
export function settingsFromState(state: OrderState, { given, whereDigest }: Settings): OrderSettings {
  for (const name of ["seed", "lanes", "windowRows", "ends"] as const) {
    const value = given[name];
    if (value === undefined || value === state[name]) continue;
    throw new StateError(`the state has ${show(name, state[name])}, these options ${show(name, value)}`, {
      remedy: `Leave ${name} out to go on with the state's, or start a new run.`,
    });
  }
  if (state.where !== whereDigest) {
    const describe = (digest: string | null): string => (digest === null ? "no where" : `a where of digest ${digest}`);
    throw new StateError(`the state has ${describe(state.where)}, these options ${describe(whereDigest)}`, {
      remedy: "Give the same where, or start a new run.",
    });
  }
  const { seed, lanes, windowRows, ends } = state;
  return { seed, lanes, windowRows, ends };
}
