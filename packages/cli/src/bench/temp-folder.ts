import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceError } from "@ingest-ts/core";

/** A folder of this run's own for encoded files. Removing it is synchronous, so that it works in an exit handler too. */
export class TempFolder {
  readonly path: string;

  constructor() {
    const parent = tmpdir();
    try {
      this.path = mkdtempSync(join(parent, "ingest-bench-"));
    } catch (cause) {
      throw new SourceError("cannot make a temporary folder", {
        where: { url: parent },
        remedy: "Set TMPDIR to a folder that can be written.",
        cause,
      });
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** @throws SourceError when fewer than `neededBytes` are free. */
  async requireSpace(neededBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const freeBytes = bavail * bsize;
    if (freeBytes >= neededBytes) return;
    throw new SourceError(
      `the largest encoded file may need ${megabytes(neededBytes)} of temporary space and ${megabytes(freeBytes)} are free`,
      { where: { url: this.path }, remedy: "Set TMPDIR to a larger disk, or take fewer rows with --rows." },
    );
  }

  /** Removes what is inside. */
  empty(): void {
    for (const name of readdirSync(this.path)) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`;
}
