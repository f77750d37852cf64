#!/usr/bin/env node
import { debugWanted, reportError } from "./process/report-error.ts";
import { run } from "./program.ts";

const argv = process.argv.slice(2);
const debug = debugWanted(argv, process.env);

// The reader of our output (`| head`) may leave at any time, also while a command writes nothing.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") reportError(error, debug);
});
process.stderr.on("error", () => {});
process.on("uncaughtException", (error) => {
  reportError(error, debug);
  process.exit();
});

try {
  await run(argv);
} catch (error) {
  reportError(error, debug);
}
