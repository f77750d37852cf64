import { indexDataset } from "@ingest-ts/loader";
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
`;

const explanation = `
Writes _ingest-manifest into the folder: names, sizes, columns and fragments of
all files. load, plan and serve then open a file only when its rows are read.
Files that changed or are new are opened again, by them and by the next ingest
index, which also goes on where an earlier one was stopped. Several may run at
once: the first finished manifest stays. In folders and in S3; TFRecord files
keep an index each, beside them.`;

/** Adds `ingest index` to the program. */
export function registerIndex(program: Command): void {
  program
    .command("index")
    .description("describe the files of a folder once, so that runs open none before its turn")
    .argument("<uri...>", "files, folders or patterns")
    .option("--json", "for programs")
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: { readonly json?: boolean }) =>
      withSignals((signal) => index(uris, flags.json === true, signal)),
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
