import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ConsumerMetrics } from "../../src/ops/metrics.ts";

const promtool = join(fileURLToPath(new URL("../../../../", import.meta.url)), ".tools", "bin", "promtool");
const missing = existsSync(promtool) ? undefined : "promtool is not installed (node scripts/tools.mjs)";

const lint = (input: string) => spawnSync(promtool, ["check", "metrics"], { input, encoding: "utf8" });

if (missing === undefined) {
  test("a scrape is what Prometheus's linter wants", async () => {
    const metrics = new ConsumerMetrics("1.2.3", "parquet");
    metrics.lag("flights", 0, 1, 2);
    metrics.handedOver(10, Date.now());
    const ours = (await metrics.registry.metrics())
      .split("\n\n")
      .filter((block) => block.startsWith("# HELP ingest_"))
      .join("\n\n");
    const { status, stdout, stderr } = lint(`${ours}\n`);
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
    expect(lint("# TYPE ingestRows counter\ningestRows 1\n").status).not.toBe(0);
  });
} else {
  test.skip(`a scrape is what Prometheus's linter wants (skipped: ${missing})`, () => {});
}
