import { OptionsError } from "@ingest-ts/core";

const units: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A parser of "64GiB", "500M" or plain bytes. @throws OptionsError naming the option */
export function sizeParser(name: string): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
    const bytes = Math.floor(Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN));
    if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    throw new OptionsError(`${name} is "${text}"`, { remedy: "Write a size like 500M or 64GiB." });
  };
}
