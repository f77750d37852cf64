import { OptionsError } from "@ingest-ts/core";
import type { Command, Option } from "commander";
import { parse } from "yaml";
import { readFileText } from "../input/read-text.ts";

/** Where options may come from beside the command line. */
export interface Settings {
  /** By long name without dashes; `uri` is the argument. */
  readonly file: Readonly<Record<string, string>>;
  readonly path: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** The variable that stands for an option: `--roll-rows` is INGEST_ROLL_ROWS. */
export function variableOf(longName: string): string {
  return `INGEST_${longName.replaceAll("-", "_").toUpperCase()}`;
}

/** Names and values of a YAML or JSON file. @throws OptionsError for anything but a flat map of plain values */
export async function readConfig(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFileText(path);
  const wrong = (what: string, cause?: unknown): OptionsError =>
    new OptionsError(what, { where: { url: path }, remedy: "Write one `option: value` a line.", cause });
  let parsed: unknown;
  try {
    parsed = parse(text) as unknown;
  } catch (error) {
    throw wrong(`the configuration is no YAML: ${(error as Error).message.split("\n")[0]}`, error);
  }
  if (parsed === null) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) throw wrong("the configuration is no map of options");
  const entries = Object.entries(parsed).map(([name, value]: [string, unknown]) => {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      return [name, String(value)] as const;
    }
    throw wrong(`"${name}" is neither text, number, true nor false`);
  });
  return Object.fromEntries(entries);
}

/**
 * Gives options that the command line left out the value of the environment, else of the file.
 *
 * @throws OptionsError for a name in the file that is no option, and for values that the option refuses
 */
export function applySettings(command: Command, { file, path, env }: Settings): void {
  const known = new Map(command.options.map((option) => [option.long?.replace(/^--/, "") ?? "", option]));
  for (const name of Object.keys(file)) {
    if (known.has(name) || name === "uri") continue;
    throw new OptionsError(`the configuration names "${name}", which is no option`, {
      where: { url: path },
      remedy: `There are ${[...known.keys()].filter((key) => key !== "config").join(", ")}.`,
    });
  }
  for (const [name, option] of known) {
    const source = command.getOptionValueSource(option.attributeName());
    if (source !== undefined && source !== "default") continue;
    const variable = env[variableOf(name)];
    if (variable !== undefined && variable !== "") setOption(command, option, variable, variableOf(name));
    else if (file[name] !== undefined) setOption(command, option, file[name], `${path}: ${name}`);
  }
}

function setOption(command: Command, option: Option, text: string, from: string): void {
  const { parseArg, argChoices } = option;
  let value: unknown = text;
  if (option.isBoolean()) value = booleanOf(text, from) !== option.negate;
  else if (parseArg !== undefined && argChoices === undefined) value = parseArg(text, undefined);
  if (argChoices !== undefined && !argChoices.includes(text)) {
    throw new OptionsError(`${from} is "${text}"`, { remedy: `It is one of ${argChoices.join(", ")}.` });
  }
  command.setOptionValueWithSource(option.attributeName(), value, "config");
}

function booleanOf(text: string, from: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new OptionsError(`${from} is "${text}"`, { remedy: "It is true or false." });
}
