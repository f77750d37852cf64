import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type ColumnPath, OptionsError, publicUrl } from "@ingest-ts/core";
import { benchFormats } from "./definitions.ts";
import type { BenchJob, BenchOptions } from "./run.ts";

/** The command line, as commander gives it. */
export interface BenchFlags {
  readonly formats?: string;
  readonly codecs?: string;
  readonly columns?: readonly ColumnPath[];
  readonly rows?: string;
  readonly batch?: string;
  readonly seed?: string;
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_ROWS = 3_000_000;
const DEFAULT_ARROW_BYTES = 512e6;
const QUICK_ROWS = 200_000;
const DEFAULT_BATCH_ROWS = 256;
/** With the start and the last passes, which run to their end, the whole stays under a minute. */
const BUDGET_MS = 42_000;
const QUICK_BUDGET_MS = 10_000;
const MAX_PASSES = 7;

/** @throws OptionsError for whatever the options alone show to be wrong. */
export function benchOptions(paths: readonly string[], flags: BenchFlags, version: string): BenchOptions {
  const quick = flags.quick ?? false;
  const asked = flags.rows === undefined ? undefined : wholeNumber("--rows", flags.rows, 1);
  const maxRows = asked ?? (quick ? QUICK_ROWS : DEFAULT_ROWS);
  const data = paths.length === 0 ? flights() : { name: nameOf(paths), paths, projected: undefined };
  return {
    version,
    name: data.name,
    source: {
      paths: data.paths,
      maxRows,
      maxArrowBytes: asked === undefined ? DEFAULT_ARROW_BYTES : Number.MAX_SAFE_INTEGER,
    },
    limitText:
      asked === undefined
        ? `the first rows of it, up to ${maxRows.toLocaleString("en-US")} or 512 MB; more with --rows`
        : "the first rows of it",
    jobs: jobsOf(names("--formats", flags.formats), names("--codecs", flags.codecs)),
    projected: flags.columns?.map(topLevelName) ?? data.projected,
    batchRows: flags.batch === undefined ? DEFAULT_BATCH_ROWS : wholeNumber("--batch", flags.batch, 1),
    seed: flags.seed === undefined ? 0 : wholeNumber("--seed", flags.seed, 0),
    quick,
    budgetMs: quick ? QUICK_BUDGET_MS : BUDGET_MS,
    maxPasses: quick ? 1 : MAX_PASSES,
  };
}

/** Names with dots stay whole; a quoted path into a struct is refused. */
function topLevelName(path: ColumnPath): string {
  if (typeof path === "string") return path;
  const [name] = path;
  if (name !== undefined && path.length === 1) return name;
  throw new OptionsError(`--columns ${path.join(".")}: a field of a column`, { remedy: "Name whole columns here." });
}

function nameOf(paths: readonly string[]): string {
  const [first] = paths;
  const others = paths.length - 1;
  return `${basename(publicUrl(first ?? ""))}${others === 0 ? "" : ` and ${others} more`}`;
}

/** Three million real flights, carried by an npm package. */
function flights(): { name: string; paths: readonly string[]; projected: readonly string[] } {
  const name = "flights-3m.parquet";
  const folder = packageFolder("vega-datasets");
  const path = folder === undefined ? undefined : join(folder, "data", name);
  if (path !== undefined && existsSync(path)) return { name, paths: [path], projected: ["delay", "origin"] };
  throw new OptionsError("the default data set is in the npm package vega-datasets, which is not installed", {
    remedy: "Run `npm install vega-datasets@3.2.1`, or name files of your own: ingest bench PATH…",
  });
}

/** The package exports its code alone, which lies one folder below its root. */
function packageFolder(name: string): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), "..");
  } catch {
    return undefined;
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = /^\d+$/.test(text.replaceAll("_", "")) ? Number(text.replaceAll("_", "")) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new OptionsError(`${flag} ${text}: not a whole number from ${least} on`);
}

function names(flag: string, text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const list = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (list.length === 0) throw new OptionsError(`${flag} names nothing`);
  return list;
}

/** Every codec of every format, once. */
export function codecNames(): readonly string[] {
  return [...new Set(benchFormats.flatMap(({ codecs, otherCodecs }) => [...codecs, ...otherCodecs]))];
}

function jobsOf(formats: readonly string[] | undefined, codecs: readonly string[] | undefined): readonly BenchJob[] {
  requireKnown(
    "--formats",
    formats,
    benchFormats.map(({ name }) => name),
  );
  requireKnown("--codecs", codecs, codecNames());
  const jobs = benchFormats
    .filter(({ name }) => formats === undefined || formats.includes(name))
    .flatMap((format) =>
      (codecs === undefined
        ? format.codecs
        : [...format.codecs, ...format.otherCodecs].filter((c) => codecs.includes(c))
      ).map((codec) => ({ format: format.name, codec })),
    );
  if (jobs.length > 0) return jobs;
  throw new OptionsError(`no format of ${(formats ?? []).join(", ")} has a codec of ${(codecs ?? []).join(", ")}`);
}

function requireKnown(flag: string, asked: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = asked?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new OptionsError(`${flag}: "${unknown}" is unknown`, { remedy: `Choose from: ${known.join(", ")}.` });
}
