import { explainWorld, type FamilyReport, type FamilyUse, type WorldReport, worldText } from "@ingest-ts/core";
import type { Command } from "commander";
import { openOutput } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";

const examples = `
Examples:
  ingest env
  torchrun --nproc-per-node 2 --no-python ingest env
  ingest env --json
`;

const explanation = `
Ranks come from INGEST_RANK and INGEST_WORLD_SIZE, else from the launcher that
started the process (torchrun, Horovod, Open MPI, PMI), TF_CONFIG, SLURM or a
Kubernetes indexed Job. A launcher wins over what it runs in; two that disagree
are an error, and so are signs of a world that do not tell a rank (exit 2).`;

/** Adds `ingest env` to the program. */
export function registerEnv(program: Command): void {
  program
    .command("env")
    .description("print which rank this process is, and which variables say so")
    .option("--json", "for programs")
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    .action(env);
}

async function env(flags: { readonly json?: boolean }): Promise<void> {
  const report = explainWorld(process.env);
  const sink = await openOutput(undefined);
  await sink.write(new TextEncoder().encode(flags.json === true ? jsonText(report) : describe(report)));
  await sink.close();
  if (report.error !== undefined) throw report.error;
}

function jsonText({ world, families, error }: WorldReport): string {
  return `${JSON.stringify({ world: world ?? null, families, error: error?.message ?? null })}\n`;
}

const uses: Readonly<Record<FamilyUse, string>> = {
  decides: "decides",
  agrees: "agrees",
  "not asked": "not asked: the process was started inside it",
  incomplete: "incomplete: no rank and size follow",
  invalid: "invalid",
  unused: "not used",
};

function describe({ world, families }: WorldReport): string {
  const lines: string[] = [];
  if (world !== undefined) {
    lines.push(`world: ${worldText(world)}`);
    if (world.role !== undefined) lines.push(`role: ${visible(world.role)}`);
    if (world.localRank !== undefined) lines.push(`local rank: ${world.localRank} of ${world.localWorldSize ?? "?"}`);
  }
  if (families.length === 0) lines.push("No launcher's variables are set: one process reads everything.");
  for (const family of families) lines.push("", ...describeFamily(family));
  return `${lines.join("\n").trimStart()}\n`;
}

const WIDTH = 80;
const INDENT = " ".repeat(12);

function describeFamily({ source, rank, worldSize, use, variables }: FamilyReport): string[] {
  const place = worldSize === undefined ? "" : `rank ${rank ?? "none"} of ${worldSize}, `;
  const lines = [`${source.padEnd(INDENT.length)}${place}${uses[use]}`];
  let line = INDENT;
  for (const [name, value] of Object.entries(variables)) {
    const full = `${name}=${visible(value)}`;
    const room = WIDTH - INDENT.length;
    const text = full.length > room ? `${full.slice(0, room - 1)}…` : full;
    if (line !== INDENT && line.length + 1 + text.length > WIDTH) {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? text : ` ${text}`;
  }
  return [...lines, line];
}
