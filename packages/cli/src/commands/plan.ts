import { worldFromEnv, worldText } from "@ingest-ts/core";
import { planRun, type RankPlan, type RunPlan } from "@ingest-ts/loader";
import { type Command, Option } from "commander";
import {
  addDataOptions,
  columnsOption,
  type InputFlags,
  readInputFlags,
  skippedText,
  whereOption,
} from "../input/options.ts";
import { addOrderOptions, countParser, type OrderFlags, orderOf } from "../input/order-options.ts";
import { count, plural, sizeText } from "../output/quantities.ts";
import { openOutput } from "../output/rows-out.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest plan flights/ --world 8 --batch 4096
  ingest plan 'flights/month=*/' --world 8 --batch 4096 --where "month < 3"
  ingest plan flights/ --world 24 --batch 256 --lanes 48 --json
`;

const explanation = `
No row is read. A fragment (row group, stripe, run of blocks) on the border of
two lanes is read by both: at most fragments + segments x (lanes - 1) reads.
Bytes are those of the selected columns; "times" is a rank's over an even share
of them. Memory counts compressed chunks, slabs, windows and blocks, not Node
itself. A run may go on with any number of ranks that divides its lanes. Without
--world the rank is the environment's (see ingest env).`;

interface PlanFlags extends InputFlags, OrderFlags {
  readonly world?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** Adds `ingest plan` to the program. */
export function registerPlan(program: Command): void {
  const command = program
    .command("plan")
    .description("print what a run would read on every rank, and what it costs")
    .argument("<uri...>", "files, folders or patterns")
    .addOption(new Option("--world <n>", "number of ranks").argParser(countParser("--world")));
  command.addOption(new Option("--seed <n>", "of the order (default 0)").argParser(countParser("--seed", 0)));
  addDataOptions(
    addOrderOptions(command).addOption(columnsOption()).addOption(whereOption()).option("--json", "for programs"),
  )
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action((uris: string[], flags: PlanFlags) => withSignals((signal) => plan(uris, flags, signal)));
}

async function plan(uris: readonly string[], flags: PlanFlags, signal: AbortSignal): Promise<void> {
  const input = await readInputFlags(flags, signal);
  const order = orderOf(flags);
  const world = flags.world === undefined ? undefined : { rank: 0, worldSize: flags.world };
  const found = world === undefined ? worldFromEnv(process.env) : undefined;
  process.stderr.write(
    `world: ${found === undefined ? `${plural(flags.world ?? 1, "rank")} (--world)` : worldText(found)}\n`,
  );
  const planned = await planRun({ source: uris, ...input, ...order, seed: flags.seed, world });
  const sink = await openOutput(undefined);
  const text = flags.json === true ? `${JSON.stringify(planned)}\n` : describe(planned);
  await sink.write(new TextEncoder().encode(text));
  await sink.close();
}

function endsText({ ends, droppedRows, paddedRows }: RunPlan): string {
  if (ends === "drop") return `drop (${plural(droppedRows, "row")} of each epoch in no batch)`;
  if (ends === "pad") return `pad (${plural(paddedRows, "copy").replace("copys", "copies")} of the last row)`;
  return "uneven (last batches may be smaller)";
}

const SHOWN_RANKS = 16;

function describe(run: RunPlan): string {
  const { skipped } = run;
  const pruned = run.prunedObjects === 0 ? "" : `, ${count(run.prunedObjects)} of them ruled out by --where`;
  const order = run.windowRows === 0 ? "as stored" : `seed ${run.seed}, windows of ${plural(run.windowRows, "row")}`;
  const lines = [
    `data     ${plural(run.rows, "row")} in ${plural(run.objects, "file")}${pruned}`,
    `         ${plural(run.fragments, "fragment")}, ${plural(run.segments, "segment")}, about ${sizeText(run.storedBytes)}`,
    ...(skipped.hidden + skipped.empty === 0 ? [] : [`         ${skippedText(skipped)}`]),
    `order    ${order}, ${plural(run.lanes, "lane")}`,
    `world    ${plural(run.worldSize, "rank")}; may go on with ${listed(run.worldSizes)}`,
    `steps    ${plural(run.steps, "step")} of ${plural(run.batchSize, "row")} on each rank`,
    `ends     ${endsText(run)}`,
    `reads    ${plural(run.fragmentReads, "fragment read")} (at most ${count(run.maxFragmentReads)}), ${run.readAmplification.toFixed(2)} times the bytes`,
    `memory   about ${sizeText(run.memoryBytes)} on each rank (limit ${sizeText(run.memoryLimitBytes)})`,
    "",
    "rank         rows      steps  lanes  fragments         bytes  times",
    ...run.ranks.slice(0, SHOWN_RANKS).map(rankLine),
  ];
  if (run.ranks.length > SHOWN_RANKS) lines.push(`   … ${run.ranks.length - SHOWN_RANKS} more; --json has all`);
  return `${lines.join("\n")}\n`;
}

/** "times": what a rank reads over an even share of the data. */
function rankLine({ rank, rows, steps, lanes, fragmentReads, readBytes, readAmplification }: RankPlan): string {
  const cells: [string, number][] = [
    [String(rank), 4],
    [count(rows), 13],
    [count(steps), 11],
    [count(lanes), 7],
    [count(fragmentReads), 11],
    [sizeText(readBytes), 14],
    [readAmplification.toFixed(2), 7],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join("");
}

function listed(sizes: readonly number[]): string {
  return sizes.length === 1 ? String(sizes[0]) : `${sizes.slice(0, -1).join(", ")} or ${sizes.at(-1)}`;
}
