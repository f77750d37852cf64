import type { Stage, StateDict } from "../stage.ts";

export interface ResumableOptions<T> {
  /** A value in a form that `assertEqual` compares. */
  readonly describe: (value: T) => unknown;
  /** Throws when the two differ; vitest's `expect(a).toEqual(b)` or node:assert's `deepStrictEqual`. */
  readonly assertEqual: (actual: unknown, expected: unknown, what: string) => void;
}

async function drain<T>(stage: Stage<T>, describe: (value: T) => unknown): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of stage) values.push(describe(value));
  return values;
}

/**
 * Every stage must pass this: its state is taken after each value (and before the first), goes through JSON, is restored
 * by a fresh stage, and the values that follow are those of the unbroken run; ending early and closing twice do no harm.
 *
 * `make` gives the same stream each time. Streams of up to some hundred values keep this quick.
 */
export async function assertResumable<T>(
  make: () => Stage<T> | Promise<Stage<T>>,
  { describe, assertEqual }: ResumableOptions<T>,
): Promise<void> {
  const states: StateDict[] = [];
  const values: unknown[] = [];
  const unbroken = await make();
  states.push(unbroken.stateDict());
  for await (const value of unbroken) {
    values.push(describe(value));
    states.push(unbroken.stateDict());
    assertEqual(unbroken.stateDict(), states.at(-1), "asking for the state twice");
  }
  assertEqual(unbroken.stateDict(), states.at(-1), "the state after the end");
  for (const [taken, state] of states.entries()) {
    const text = JSON.stringify(state);
    assertEqual(JSON.parse(text), state, `the state after ${taken} values, through JSON`);
    const stage = await make();
    stage.loadStateDict(JSON.parse(text) as StateDict);
    assertEqual(stage.stateDict(), state, `the state after ${taken} values, restored`);
    assertEqual(await drain(stage, describe), values.slice(taken), `the values after a restart behind ${taken}`);
  }
  await assertEndsEarly(make, assertEqual);
}

async function assertEndsEarly<T>(
  make: () => Stage<T> | Promise<Stage<T>>,
  assertEqual: ResumableOptions<T>["assertEqual"],
): Promise<void> {
  const stage = await make();
  await stage.next();
  const state = stage.stateDict();
  await stage.return?.();
  assertEqual((await stage.next()).done, true, "next after return");
  assertEqual(stage.stateDict(), state, "the state after return");
  await stage.close();
  await stage.close();
}
