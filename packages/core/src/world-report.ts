import { OptionsError } from "./errors.ts";
import { type Environment, type Family, families, type World, worldFromEnv, type WorldSource } from "./world.ts";

/** What a family of variables had to do with the answer. */
export type FamilyUse =
  /** Its rank is the answer. */
  | "decides"
  /** Says the same as the one that decides. */
  | "agrees"
  /** Complete but not asked: it describes what the deciding launcher runs in, or ranks below it. */
  | "not asked"
  /** Some variables are set, but no rank and size follow from them. */
  | "incomplete"
  /** A value is wrong; `message` says which. */
  | "invalid"
  /** Complete, while there is no answer. */
  | "unused";

/** One launcher's variables as they were found. */
export interface FamilyReport {
  readonly source: WorldSource;
  /** Those that are set, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** null for a role that reads no data; undefined when none follows. */
  readonly rank?: number | null | undefined;
  readonly worldSize?: number | undefined;
  readonly use: FamilyUse;
  readonly message?: string | undefined;
}

/** How `worldFromEnv` came to its answer. */
export interface WorldReport {
  /** Only families of which a variable is set. */
  readonly families: readonly FamilyReport[];
  /** Undefined when the environment is refused. */
  readonly world: World | undefined;
  readonly error: OptionsError | undefined;
}

function attempt<T>(body: () => T): { readonly value?: T; readonly error?: OptionsError } {
  try {
    return { value: body() };
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    return { error };
  }
}

function useOf(claimed: World, world: World | undefined): FamilyUse {
  if (world === undefined) return "unused";
  if (claimed.source === world.source) return "decides";
  return claimed.rank === world.rank && claimed.worldSize === world.worldSize ? "agrees" : "not asked";
}

function reportOf(family: Family, env: Environment, world: World | undefined): FamilyReport | undefined {
  const set = family.variables.flatMap((name) => {
    const value = env[name]?.trim();
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  if (!set.some(([name]) => family.signs.includes(name))) return undefined;
  const { source } = family;
  const variables = Object.fromEntries(set);
  const { value, error } = attempt(() => family.claim(env));
  if (error !== undefined) return { source, variables, use: "invalid", message: error.message };
  if (value === undefined) return { source, variables, use: "incomplete" };
  const { rank, worldSize } = value.world;
  return { source: value.world.source, variables, rank, worldSize, use: useOf(value.world, world) };
}

/** The rank that the environment gives, and every family of variables found in it. Throws nothing: see `error`. */
export function explainWorld(env: Environment): WorldReport {
  const { value: world, error } = attempt(() => worldFromEnv(env));
  const reports = families.map((family) => reportOf(family, env, world)).filter((report) => report !== undefined);
  return { families: reports, world, error };
}

/** `rank 3 of 8 (torchrun)`, as `load`, `serve` and `plan` say it. */
export function worldText({ rank, worldSize, source }: World): string {
  return `${rank === null ? "no rank" : `rank ${rank}`} of ${worldSize} (${source})`;
}
