import { type ByteSink, SourceError } from "@ingest-ts/core";
import { OutputClosed } from "./exit-codes.ts";

/** Standard output as a sink. `close` and `abort` leave the stream open: it belongs to the process. */
export function stdoutSink(): ByteSink {
  const stream = process.stdout;
  let failure: Error | undefined;
  const onError = (error: Error): void => {
    failure ??= outputError(error);
  };
  stream.on("error", onError);
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      stream.write(bytes, (error) => (error ? reject(outputError(error)) : resolve()));
    });
  return {
    write,
    close: async () => {
      if (failure !== undefined) throw failure;
    },
    abort: async () => {},
  };
}

function outputError(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED") return new OutputClosed("standard output was closed");
  const what = code === "ENOSPC" ? "no space left on the device" : error.message;
  return new SourceError(`standard output cannot be written: ${what}`, { cause: error });
}
