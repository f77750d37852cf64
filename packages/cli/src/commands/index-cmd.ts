import { OptionsError, publicUrl } from "@ingest-ts/core";
import { importDaliIndex, indexDataset } from "@ingest-ts/loader";
import { listDataset } from "@ingest-ts/readers";
import { isMissing, openSource } from "@ingest-ts/storage";
import type { Command } from "commander";
import { inputOf, noteSkippedFiles } from "../input/options.ts";
import { count, plural } from "../output/quantities.ts";
import { openOutput } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest index flights/
  ingest index 'flights/month=*/'
  ingest index s3://bucket/flights/ --json
  ingest index 'train-*.tfrecord' --dali idx/      indexes that DALI made
`;

const explanation = `
Writes _ingest-manifest into the folder: names, sizes, columns and fragments of
all files. load, plan and serve then open a file only when its rows are read.
Files that changed or are new are opened again, by them and by the next ingest
index, which also goes on where an earlier one was stopped. Several may run at
once: the first finished manifest stays. In folders and in S3; TFRecord files
keep an index each, beside them.

--dali takes over what NVIDIA DALI's tfrecord2idx wrote: one file for one
TFRecord file, or a folder with NAME.idx (or NAME without its ending, .idx) for
each of them. Only the index beside each file is written, and no record is read
for it: a wrong one is an error when the records are read.`;

/** Adds `ingest index` to the program. */
export function registerIndex(program: Command): void {
  program
    .command("index")
    .description("describe the files of a folder once, so that runs open none before its turn")
    .argument("<uri...>", "files, folders or patterns")
    .option("--dali <path>", "take over indexes of DALI, a file or a folder of them")
    .option("--json", "for programs")
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], { dali, json = false }: { readonly dali?: string; readonly json?: boolean }) =>
      withSignals((signal) => (dali === undefined ? index(uris, json, signal) : importAll(uris, dali, json, signal))),
    );
}

async function index(uris: readonly string[], json: boolean, signal: AbortSignal): Promise<void> {
  const report = await indexDataset(inputOf(uris), { signal });
  const { path, files, rows, fragments, opened, written } = report;
  const how = written ? "written" : "was whole already";
  const text = `${visible(path)}: ${how}\n${plural(files, "file")} (${count(opened)} opened), ${plural(rows, "row")}, ${plural(fragments, "fragment")}\n`;
  noteSkippedFiles(report.skipped);
  const sink = await openOutput(undefined);
  await sink.write(new TextEncoder().encode(json ? `${JSON.stringify(report)}\n` : text));
  await sink.close();
}

async function importAll(uris: readonly string[], dali: string, json: boolean, signal: AbortSignal): Promise<void> {
  const { files, skipped } = await listDataset(uris, { partitions: "none", signal });
  noteSkippedFiles(skipped);
  const kept = files.filter(({ name }) => !/\.(idx|ingest-index|schema\.json)$/.test(name));
  if (dali.endsWith(".idx") && kept.length !== 1) {
    throw new OptionsError(`--dali names one index, and there are ${plural(kept.length, "file")}`, {
      remedy: "Name one file, or the folder of the indexes.",
    });
  }
  const sink = await openOutput(undefined);
  for (const { url, name } of kept) {
    const idx = dali.endsWith(".idx") ? dali : await indexOf(dali, name);
    const { path, rows, fragments } = await importDaliIndex(url, idx, { signal });
    const text = `${visible(publicUrl(path))}: ${plural(rows, "row")}, ${plural(fragments, "fragment")}`;
    const line = json ? JSON.stringify({ path: publicUrl(path), rows, fragments }) : text;
    await sink.write(new TextEncoder().encode(`${line}\n`));
  }
  await sink.close();
}

/** The index of a file in a folder of them. */
async function indexOf(folder: string, name: string): Promise<string> {
  const base = `${folder.replace(/\/+$/, "")}/${name.slice(name.lastIndexOf("/") + 1)}`;
  const [whole, stem] = [`${base}.idx`, `${base.replace(/\.[^./]*$/, "")}.idx`];
  try {
    await (await openSource(whole)).close();
    return whole;
  } catch (error) {
    if (isMissing(error)) return stem;
    throw error;
  }
}
