import { OptionsError } from "@ingest-ts/core";
import type { LoadOptions } from "@ingest-ts/loader";
import { type Command, Option } from "commander";

/** What commander hands over for the options that decide the order of rows. */
export interface OrderFlags {
  readonly batch: number;
  readonly lanes?: number;
  readonly windowRows?: number;
  readonly shuffle: boolean;
  readonly ends?: "drop" | "pad" | "uneven";
}

/** A parser of whole numbers from `minimum` on. @throws OptionsError naming the option */
export function countParser(name: string, minimum = 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new OptionsError(`${name} is "${text}"`, { remedy: `It must be a whole number of ${minimum} or more.` });
  };
}

/** Adds the options of `OrderFlags`. */
export function addOrderOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--batch <n>", "rows of one batch of one rank")
        .argParser(countParser("--batch"))
        .makeOptionMandatory(),
    )
    .addOption(new Option("--lanes <n>", "places that are read in turn").argParser(countParser("--lanes")))
    .addOption(new Option("--window-rows <n>", "rows shuffled together").argParser(countParser("--window-rows")))
    .option("--no-shuffle", "rows keep their order")
    .addOption(new Option("--ends <how>", "rows that fill no batch on every rank").choices(["drop", "pad", "uneven"]));
}

/** The same as options of `load`. @throws OptionsError when two exclude each other */
export function orderOf(flags: OrderFlags): Pick<LoadOptions, "batchSize" | "shuffle" | "ends"> {
  const { lanes, windowRows, shuffle, ends, batch } = flags;
  if (!shuffle && (lanes !== undefined || windowRows !== undefined)) {
    throw new OptionsError("--no-shuffle has no lanes or windows", { remedy: "Leave --lanes and --window-rows out." });
  }
  return { batchSize: batch, shuffle: shuffle ? { lanes, windowRows } : false, ends };
}
