/**
 * Entry of the processes that do the work: one task each, so that no format runs in the heap or with the compiled code
 * of another. Started by `runTask`.
 */
import { isIngestError } from "@ingest-ts/core";
import { inheritStorage } from "../input/storage-options.ts";
import type { Task, TaskResults, WorkerError, WorkerMessage } from "./protocol.ts";
import type { Report } from "./step.ts";

const PROGRESS_MS = 100;

function send(message: WorkerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) throw new Error("bench: the worker has no parent");
    process.send(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

let lastMs = 0;

const report: Report = (progress) => {
  const now = performance.now();
  if (now - lastMs < PROGRESS_MS) return;
  lastMs = now;
  process.send?.({ kind: "progress", progress } satisfies WorkerMessage);
};

async function run(task: Task): Promise<TaskResults[Task["job"]]> {
  await inheritStorage();
  switch (task.job) {
    case "source":
      return (await import("./source-job.ts")).runSourceTask(task, report);
    case "write":
      return (await import("./write-job.ts")).runWriteTask(task, report);
    case "read":
      return (await import("./read-job.ts")).runReadTask(task, report);
  }
}

function describe(error: unknown): WorkerError {
  if (isIngestError(error)) return { code: error.code, what: error.what, message: error.message, stack: error.stack };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: undefined, what: message, message, stack };
}

// A parent that is gone wants no result.
process.on("disconnect", () => process.exit(0));
// A terminal sends Ctrl-C to the parent and its children alike: the parent decides.
process.on("SIGINT", () => undefined);

process.once("message", (task: Task) => {
  void run(task)
    .then(
      (result) => send({ kind: "done", result }),
      (error: unknown) => send({ kind: "failed", error: describe(error) }),
    )
    .finally(() => process.exit(0));
});
