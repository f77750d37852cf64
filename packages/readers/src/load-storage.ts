import { OptionsError } from "@ingest-ts/core";

type Storage = typeof import("@ingest-ts/storage");

/** The package that opens paths and URLs, when it is installed. @throws OptionsError naming it when it is not. */
export async function loadStorage(): Promise<Storage> {
  try {
    return await import("@ingest-ts/storage");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new OptionsError("opening a path or URL needs the package @ingest-ts/storage", {
      remedy: "Install it (npm install @ingest-ts/storage), or pass a ByteSource.",
      cause,
    });
  }
}
