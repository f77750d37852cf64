import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  FormatError,
  type IngestError,
  OptionsError,
  SourceError,
  StateError,
  UnsupportedError,
} from "@ingest-ts/core";
import type { Task, TaskResults, WorkerError, WorkerMessage } from "./protocol.ts";
import type { Report } from "./step.ts";

export interface TaskContext {
  readonly signal: AbortSignal;
  readonly report: Report;
}

const constructors = {
  INGEST_FORMAT: FormatError,
  INGEST_UNSUPPORTED: UnsupportedError,
  INGEST_SOURCE: SourceError,
  INGEST_OPTIONS: OptionsError,
  INGEST_STATE: StateError,
} as const;

/** A worker's error with its kind; the message already says where and what to do. */
class WorkerFailure extends Error {
  constructor(error: WorkerError) {
    super(error.message);
    this.stack = error.stack ?? this.message;
  }
}

function revive(error: WorkerError): IngestError | WorkerFailure {
  if (error.code === undefined) return new WorkerFailure(error);
  const revived = new constructors[error.code](error.what);
  revived.message = error.message;
  return revived;
}

/** The worker beside this module, compiled or not. */
function workerPath(): string {
  const self = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(`./worker${extname(self)}`, import.meta.url));
}

/**
 * Runs one task in a process of its own.
 *
 * @throws what the task threw, revived; AbortError when the signal stops it (the process is killed and waited for);
 * SourceError when the process dies, for example for lack of memory.
 */
export async function runTask<T extends Task>(task: T, context: TaskContext): Promise<TaskResults[T["job"]]> {
  context.signal.throwIfAborted();
  const child = fork(workerPath(), [], {
    execArgv: [...process.execArgv, "--expose-gc"],
    // What a worker prints is for people, and stdout is for data.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const stop = (): void => void child.kill("SIGKILL");
  context.signal.addEventListener("abort", stop, { once: true });
  try {
    return (await conversation(child, task, context)) as TaskResults[T["job"]];
  } finally {
    context.signal.removeEventListener("abort", stop);
  }
}

/** Settles when the process has exited, so that nothing of it writes any more. */
function conversation(child: ChildProcess, task: Task, context: TaskContext): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let outcome: Exclude<WorkerMessage, { kind: "progress" }> | undefined;
    let failure: Error | undefined;
    child.on("message", (message: WorkerMessage) => {
      if (message.kind === "progress") context.report(message.progress);
      else outcome = message;
    });
    child.on("error", (error) => {
      failure = error;
    });
    child.on("close", (code, signal) => {
      if (context.signal.aborted) reject(context.signal.reason as Error);
      else if (outcome?.kind === "done") resolve(outcome.result);
      else if (outcome?.kind === "failed") reject(revive(outcome.error));
      else
        reject(
          failure ?? new SourceError(`the measuring process ended without a result (${signal ?? `exit code ${code}`})`),
        );
    });
    child.send(task, (error) => {
      if (error !== null) failure = error;
    });
  });
}
