import { type DataType, type Field, IngestError, type Schema, typeName } from "@ingest-ts/core";
import { open, uniteSchemas } from "@ingest-ts/readers";
import type { Command } from "commander";
import {
  formatOption,
  type InputFlags,
  partitionsOption,
  int96Option,
  readInputFlags,
  schemaOption,
  timestampUnitOption,
} from "../input/options.ts";
import { openOutput } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";
import { exitCodes } from "../process/exit-codes.ts";
import { withSignals } from "../process/signals.ts";

const examples = `
Examples:
  ingest schema diff january.parquet february.parquet
  ingest schema diff 2023/ 2024/ --json
`;

const explanation = `
Compares the columns of two files or folders by name, of any formats. "-" stands
before what only A has, "+" before what only B has, "~" before what both have in
another type or nullability; a[] is the item of a list, a{key} and a{value}
those of a map. The last line tells whether both can be read together as one
data set. Names of list items and metadata are no difference. Exit code 0 when
nothing differs, 1 when something does.`;

interface DiffFlags extends InputFlags {
  readonly json?: boolean;
}

/** Adds `diff` to `ingest schema`. */
export function registerSchemaDiff(schema: Command): void {
  schema
    .command("diff")
    .description("print how the columns of two files or folders differ")
    .argument("<a>", "a file, folder or pattern")
    .argument("<b>", "another one")
    .option("--json", "for programs")
    .addOption(schemaOption())
    .addOption(timestampUnitOption())
    .addOption(int96Option())
    .addOption(formatOption())
    .addOption(partitionsOption())
    .addHelpText("before", examples)
    .addHelpText("after", explanation)
    // Options that `schema` has too are taken by it, wherever they stand.
    .action((a: string, b: string, _: DiffFlags, command: Command) =>
      withSignals((signal) => diff(a, b, command.optsWithGlobals<DiffFlags>(), signal)),
    );
}

interface Difference {
  readonly column: string;
  readonly kind: "removed" | "added" | "type" | "nullability" | "order";
  readonly a: string | null;
  readonly b: string | null;
}

async function diff(a: string, b: string, flags: DiffFlags, signal: AbortSignal): Promise<void> {
  const options = await readInputFlags(flags, signal);
  const schemaOf = async (uri: string): Promise<Schema> => {
    const reader = await open(uri, options);
    await reader.close();
    return reader.schema;
  };
  const [left, right] = [await schemaOf(a), await schemaOf(b)];
  const differences = compare(left, right);
  const problem = uniteProblem([a, left], [b, right]);
  const sink = await openOutput(undefined);
  const text =
    flags.json === true
      ? `${JSON.stringify({ a, b, same: differences.length === 0, differences, readTogether: problem === undefined, problem: problem ?? null })}\n`
      : describe(differences, problem);
  await sink.write(new TextEncoder().encode(text));
  await sink.close();
  if (differences.length > 0) process.exitCode = exitCodes.checkFailed;
}

/** Why the two are no data set; undefined when they are. */
function uniteProblem([a, left]: [string, Schema], [b, right]: [string, Schema]): string | undefined {
  try {
    uniteSchemas([
      { name: a, schema: left },
      { name: b, schema: right },
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof IngestError) return error.message;
    throw error;
  }
}

interface Line {
  readonly text: string;
  readonly nullable: boolean;
}

/** Every field at every depth by its path. Of two fields of one name the later one gets a number. */
function linesOf(fields: readonly Field[], above: string, into: Map<string, Line>): Map<string, Line> {
  for (const { name, type, nullable } of fields) {
    const path = above === "" ? name : `${above}.${name}`;
    let unique = path;
    for (let i = 2; into.has(unique); i++) unique = `${path} (${i})`;
    addLine(unique, type, nullable, into);
  }
  return into;
}

function addLine(path: string, type: DataType, nullable: boolean, into: Map<string, Line>): void {
  into.set(path, { text: typeName(type), nullable });
  if (type.kind === "struct" || type.kind === "union") linesOf(type.children, path, into);
  else if (type.kind === "map" && type.child.type.kind === "struct") {
    const [key, value] = type.child.type.children;
    if (key !== undefined) addLine(`${path}{key}`, key.type, key.nullable, into);
    if (value !== undefined) addLine(`${path}{value}`, value.type, value.nullable, into);
  } else if ("child" in type) addLine(`${path}[]`, type.child.type, type.child.nullable, into);
}

function compare(left: Schema, right: Schema): Difference[] {
  const [a, b] = [linesOf(left.fields, "", new Map()), linesOf(right.fields, "", new Map())];
  const differences: Difference[] = [];
  const full = ({ text, nullable }: Line): string => `${text}${nullable ? "" : " not null"}`;
  for (const [column, line] of a) {
    const other = b.get(column);
    if (other === undefined) differences.push({ column, kind: "removed", a: full(line), b: null });
    else if (full(line) !== full(other)) {
      const kind = line.text === other.text ? "nullability" : "type";
      differences.push({ column, kind, a: full(line), b: full(other) });
    }
  }
  for (const [column, line] of b) {
    if (!a.has(column)) differences.push({ column, kind: "added", a: null, b: full(line) });
  }
  const shared = [[...a.keys()].filter((path) => b.has(path)), [...b.keys()].filter((path) => a.has(path))] as const;
  const moved = shared[0].find((path, i) => path !== shared[1][i]);
  if (moved !== undefined) differences.push({ column: moved, kind: "order", a: null, b: null });
  return differences;
}

function describe(differences: readonly Difference[], problem: string | undefined): string {
  const lines = differences.map(({ column, kind, a, b }) => {
    if (kind === "removed") return `- ${column}: ${a}`;
    if (kind === "added") return `+ ${column}: ${b}`;
    if (kind === "order") return `~ ${column}: the columns come in another order from here on`;
    return `~ ${column}: ${a} → ${b}`;
  });
  if (lines.length === 0) lines.push("the same columns");
  lines.push(problem === undefined ? "can be read together" : `cannot be read together: ${problem}`);
  return lines.map((line) => `${visible(line)}\n`).join("");
}
