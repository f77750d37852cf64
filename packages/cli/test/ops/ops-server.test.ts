import { OptionsError } from "@ingest-ts/core";
import { afterEach, expect, test } from "vitest";
import { ConsumerMetrics } from "../../src/ops/metrics.ts";
import { type Health, listenForOps, type OpsServer } from "../../src/ops/ops-server.ts";

let server: OpsServer | undefined;
afterEach(() => server?.close());

async function start(live: Health, ready: Health): Promise<string> {
  const metrics = new ConsumerMetrics("1.2.3", "parquet");
  server = await listenForOps("127.0.0.1", 0, {
    live: () => live,
    ready: () => ready,
    metrics: async () => ({ type: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  });
  return `http://127.0.0.1:${server.port}`;
}

test("probes are answered by health, with the reason", async () => {
  const url = await start({ ok: true }, { ok: false, why: "stopping" });
  const live = await fetch(`${url}/livez`);
  expect([live.status, await live.json()]).toEqual([200, { ok: true }]);
  const ready = await fetch(`${url}/readyz?verbose`);
  expect([ready.status, await ready.json()]).toEqual([503, { ok: false, why: "stopping" }]);
});

test("metrics are Prometheus's text, other paths and methods are refused", async () => {
  const url = await start({ ok: true }, { ok: true });
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await metrics.text()).toContain('ingest_records_total{source="kafka",result="delivered"} 0');
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/livez`, { method: "POST" })).status).toBe(405);
});

test("a port that is taken is an error of the options", async () => {
  const url = await start({ ok: true }, { ok: true });
  const answers = {
    live: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    metrics: () => Promise.reject(new Error()),
  };
  const again = listenForOps("127.0.0.1", Number(new URL(url).port), answers);
  await expect(again).rejects.toThrow(OptionsError);
});
