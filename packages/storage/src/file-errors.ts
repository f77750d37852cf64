import { OptionsError, SourceError } from "@ingest-ts/core";

/** The `code` of a Node system error, as "ENOENT". */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : undefined;
}

const explanations: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ["no such file", "Check the path."],
  ENOTDIR: ["no such file", "A part of the path is not a folder."],
  EISDIR: ["is a folder, not a file", "Name one file in it."],
  EACCES: ["permission denied", "Check who may access the file."],
  EPERM: ["permission denied", "Check who may access the file."],
  EROFS: ["the file system is read-only", "Choose another place."],
  ENOSPC: ["no space left on the device", "Free some space or choose another place."],
  EDQUOT: ["disk quota exceeded", "Free some space or choose another place."],
  EMFILE: ["too many open files", "Close some, or raise the limit (ulimit -n)."],
  ENAMETOOLONG: ["the file name is too long", "Check the path."],
  ELOOP: ["too many symbolic links", "Check the path."],
};

/** A system error as one of ours; errors that are ours already, and aborts, pass unchanged. */
export function fileError(error: unknown, url: string): unknown {
  const code = systemCode(error);
  if (code === undefined || code === "ABORT_ERR" || code.startsWith("INGEST_")) return error;
  if (code === "ERR_INVALID_ARG_VALUE") {
    return new OptionsError("not a file name", { where: { url }, remedy: "Check the path.", cause: error });
  }
  const [what, remedy] = explanations[code] ?? [`${(error as Error).message}`, "Check the device and try again."];
  return new SourceError(what, {
    where: { url },
    remedy,
    retryable: code === "EMFILE" || code === "EAGAIN" || code === "EIO",
    cause: error,
  });
}

/** Whether `error` says that the object does not exist (and not that it could not be reached). */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof SourceError)) return false;
  if (error.reason === "NotFound") return true;
  const code = systemCode(error.cause);
  return code === "ENOENT" || code === "ENOTDIR";
}
