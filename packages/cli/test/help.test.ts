import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { commands } from "../src/commands/index.ts";
import { addStorageOptions } from "../src/input/storage-options.ts";
import { exitCodesHelp } from "../src/process/exit-codes.ts";

const WIDTH = 80;

/** The help of a command and of those below it, as one that is no terminal gets it. */
function helpTexts(command: Command): string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => WIDTH });
  command.outputHelp();
  return [text, ...command.commands.flatMap(helpTexts)];
}

describe("the help of every command fits a terminal", () => {
  it.each(commands.map(({ name, load }) => ({ name, load })))("$name", async ({ name, load }) => {
    const program = new Command("ingest");
    (await load())(program);
    addStorageOptions(program.commands[0] as Command);
    const texts = program.commands.flatMap(helpTexts);
    expect(texts[0]).toContain(`Usage: ingest ${name}`);
    for (const line of texts.join("\n").split("\n")) expect(line.length, line).toBeLessThanOrEqual(WIDTH);
  });

  it("so does what all of them end with", () => {
    for (const line of exitCodesHelp.split("\n")) expect(line.length, line).toBeLessThanOrEqual(WIDTH);
  });
});
