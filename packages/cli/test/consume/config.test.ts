import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionsError } from "@ingest-ts/core";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { applySettings, readConfig, variableOf } from "../../src/consume/config.ts";
import { addConsumeOptions, type ConsumeFlags } from "../../src/consume/flags.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function flagsOf(text: string, argv: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<ConsumeFlags> {
  const path = join(folder, "consume.yaml");
  writeFileSync(path, text);
  const command = addConsumeOptions(new Command("consume")).allowExcessArguments();
  command.parse(["kafka://b/t", ...argv], { from: "user" });
  applySettings(command, { file: await readConfig(path), path, env });
  return command.opts<ConsumeFlags>();
}

describe("options", () => {
  test("of the command line go before the environment, and that before the file", async () => {
    const flags = await flagsOf("roll-rows: 10\nroll-seconds: 20\nformat: orc\ngroup: a", ["--roll-rows", "30"], {
      INGEST_ROLL_ROWS: "40",
      INGEST_ROLL_SECONDS: "50",
    });
    expect(flags).toMatchObject({ rollRows: 30, rollSeconds: 50, format: "orc", group: "a", rollBytes: 2 ** 28 });
  });

  test("are parsed as those of the command line", async () => {
    const flags = await flagsOf("roll-bytes: 64MiB\nfrom: 2026-11-29\nuntil: 17\nops-port: 9464");
    expect(flags).toMatchObject({
      rollBytes: 2 ** 26,
      from: { timestampMs: Date.UTC(2026, 10, 29) },
      until: { offset: 17 },
      opsPort: 9464,
    });
  });

  test("may be JSON", async () => {
    expect(await flagsOf('{"group": "a", "limit": 5}')).toMatchObject({ group: "a", limit: 5 });
  });

  test.each([
    ["rollrows: 1", /names "rollrows", which is no option/],
    ["format: csv", /format" is|format is "csv"/],
    ["roll-rows: 0", /--roll-rows is "0"/],
    ["from: soon", /--from is "soon"/],
    ["group: [a]", /"group" is neither text/],
    ["- a", /no map of options/],
    ["a: b: c", /no YAML/],
  ])("that are wrong are refused: %s", async (text, message) => {
    const flags = flagsOf(text);
    await expect(flags).rejects.toThrow(message);
    await expect(flags).rejects.toThrow(OptionsError);
  });

  test("have a variable each", () => {
    expect(variableOf("roll-rows")).toBe("INGEST_ROLL_ROWS");
  });
});
