import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

/** Where figures were measured: never compare them across two of these. */
export interface Environment {
  readonly ingest: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Work of others in the last minute, in running threads, when the run began. */
  readonly loadAverage: number;
  /** Where zstd comes from: "node:zlib", or "wasm" before Node 22.15. */
  readonly zstd: string;
}

/** This machine as it is now; `version` is of ingest. */
export async function readEnvironment(version: string): Promise<Environment> {
  const zlib = await import("node:zlib");
  return {
    ingest: version,
    node: process.versions.node,
    platform: platform(),
    arch: arch(),
    kernel: release(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    zstd: "zstdDecompressSync" in zlib ? "node:zlib" : "wasm",
  };
}
