import { visible } from "../output/visible.ts";
import { exitCodeOf, Interrupted, isOurs, OutputClosed } from "./exit-codes.ts";

/** Whether stack traces are wanted: --debug anywhere, or DEBUG set. */
export function debugWanted(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--debug") || (env["DEBUG"] ?? "") !== "";
}

/** What to say about `error` on stderr: `ingest: what (where). What to do.`; with `debug` the stack too. */
export function errorText(error: unknown, debug: boolean): string {
  if (error instanceof OutputClosed) return "";
  if (error instanceof Interrupted) return "ingest: stopped\n";
  const stack = debug && error instanceof Error ? `${causes(error)}\n` : "";
  if (isOurs(error)) return `ingest: ${visible(error.message)}\n${stack}`;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const remedy = debug ? "" : " Run again with --debug for details.";
  return `ingest: ${visible(message)}. This is a defect of ingest: please report it.${remedy}\n${stack}`;
}

function causes(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 10; at = at.cause) stacks.push(at.stack ?? "");
  return stacks.join("\ncaused by ");
}

const told = new WeakSet<object>();

/** The error was told already, in the form that the command's log has: only the exit code is left to be set. */
export function markTold(error: unknown): void {
  if (typeof error === "object" && error !== null) told.add(error);
}

/** Tells of `error` and sets the exit code. */
export function reportError(error: unknown, debug: boolean): void {
  process.exitCode = exitCodeOf(error);
  if (typeof error === "object" && error !== null && told.has(error)) return;
  const text = errorText(error, debug);
  if (text !== "") process.stderr.write(text);
}
