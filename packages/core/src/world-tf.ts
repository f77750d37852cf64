import { OptionsError } from "./errors.ts";

export interface TfTask {
  /** null for roles that read no data. */
  readonly rank: number | null;
  readonly worldSize: number;
  readonly role: string;
}

/** Roles whose tasks read data, in the order of their ranks: the chief is rank 0. */
const dataRoles = ["chief", "master", "worker"];

const remedy = "Correct TF_CONFIG, or set INGEST_RANK and INGEST_WORLD_SIZE.";

function fail(what: string, cause?: unknown): never {
  throw new OptionsError(what, cause === undefined ? { remedy } : { remedy, cause });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How many tasks a role has: its addresses stand in a list, or in an object from index to address. */
function tasksOf(cluster: Record<string, unknown>, role: string): number {
  const tasks = cluster[role];
  if (tasks === undefined) return 0;
  if (Array.isArray(tasks)) return tasks.length;
  if (isObject(tasks)) return Object.keys(tasks).length;
  return fail(`TF_CONFIG's cluster.${role} is not a list of addresses`);
}

/** TF_CONFIG as TensorFlow defines it; undefined when it names no cluster. @throws OptionsError */
export function taskOfTfConfig(text: string): TfTask | undefined {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    fail("TF_CONFIG is not JSON", error);
  }
  if (!isObject(config)) fail("TF_CONFIG is not a JSON object");
  const { cluster, task } = config;
  if (cluster === undefined || (isObject(cluster) && Object.keys(cluster).length === 0)) return undefined;
  if (!isObject(cluster)) fail("TF_CONFIG's cluster is not an object");
  if (!isObject(task)) fail("TF_CONFIG names a cluster but no task");
  const role = task["type"];
  const index = Number(task["index"] ?? Number.NaN);
  if (typeof role !== "string") fail("TF_CONFIG's task has no type");
  if (!Number.isSafeInteger(index) || index < 0)
    fail(`TF_CONFIG's task index ${String(task["index"])} is no whole number`);
  const worldSize = dataRoles.reduce((sum, name) => sum + tasksOf(cluster, name), 0);
  if (!dataRoles.includes(role)) return { rank: null, worldSize, role };
  const count = tasksOf(cluster, role);
  if (index >= count) fail(`TF_CONFIG's task is ${role} ${index}, but its cluster has ${count} of them`);
  const before = dataRoles.slice(0, dataRoles.indexOf(role)).reduce((sum, name) => sum + tasksOf(cluster, name), 0);
  return { rank: before + index, worldSize, role };
}
