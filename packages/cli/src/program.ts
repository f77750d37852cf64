import { Command, CommanderError } from "commander";
import { commands } from "./commands/index.ts";
import { exitCodes, exitCodesHelp } from "./process/exit-codes.ts";
import { version } from "./process/version.ts";

const examples = `
Examples:
  ingest bench                            measure formats on three million rows
  ingest cat flights.parquet --limit 10   look into a file
  ingest schema flights.parquet           its columns
  ingest count flights.parquet --where "delay > 60"
`;

/** Commands that name no object. */
const withoutUris: ReadonlySet<string> = new Set(["env", "kafka"]);

/** The command that `argv` (without node and script) asks for: its first word, or the one after `help`. */
function commandAsked(argv: readonly string[]): string | undefined {
  const words = argv.filter((argument) => !argument.startsWith("-"));
  return words[0] === "help" ? words[1] : words[0];
}

/** The program with the command that is asked for loaded, and the others known by name. */
async function createProgram(asked: string | undefined): Promise<Command> {
  const program = new Command("ingest");
  program
    .description("Reads, checks and measures training data: Parquet, ORC, Avro, TFRecord, straight into Apache Arrow.")
    .version(version())
    .option("--debug", "stack traces in errors (or set DEBUG)")
    .addHelpText("before", examples)
    .addHelpText("after", exitCodesHelp)
    .showHelpAfterError("Run it with --help to see how it is used.")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "ingest: ")) })
    .exitOverride();
  for (const { name, summary, load } of commands) {
    if (name !== asked) {
      program.command(name).description(summary);
      continue;
    }
    (await load())(program);
    const command = program.commands.at(-1);
    if (command === undefined || withoutUris.has(name)) continue;
    (await import("./input/storage-options.ts")).addStorageOptions(command);
  }
  for (const command of program.commands) {
    command.copyInheritedSettings(program).option("--debug", "stack traces in errors (or set DEBUG)");
    command.addHelpText("after", exitCodesHelp);
  }
  return program;
}

/** Runs the command line. @returns nothing; sets `process.exitCode`. @throws what a command throws. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = await createProgram(commandAsked(argv));
  if (argv.length === 0) {
    process.stderr.write(program.helpInformation());
    process.exitCode = exitCodes.usage;
    return;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has said what is wrong; its own code for that is 1.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}
