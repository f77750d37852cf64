import { describe, expect, test } from "vitest";
import { ConsumerMetrics, gapCauses, recordResults } from "../../src/ops/metrics.ts";

/** Every series of ours: name and labels, with its value. */
async function series(metrics: ConsumerMetrics): Promise<Map<string, number>> {
  const lines = (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith("ingest_"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("metrics of a consumer", () => {
  test("have names that stay", async () => {
    const metrics = new ConsumerMetrics("1.2.3", "parquet");
    const types = (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith("# TYPE ingest_"));
    expect(types.map((line) => line.slice("# TYPE ".length)).sort()).toEqual([
      "ingest_assigned_partitions gauge",
      "ingest_batches_total counter",
      "ingest_build_info gauge",
      "ingest_bytes_total counter",
      "ingest_commits_total counter",
      "ingest_consumer_lag_records gauge",
      "ingest_consumer_lag_seconds gauge",
      "ingest_corrupt_batches_total counter",
      "ingest_offsets_without_rows_total counter",
      "ingest_queue_bytes gauge",
      "ingest_rebalances_total counter",
      "ingest_record_age_seconds histogram",
      "ingest_records_total counter",
      "ingest_retries_total counter",
      "ingest_run_active gauge",
      "ingest_shard_seconds histogram",
      "ingest_shards_total counter",
    ]);
  });

  test("exist at 0 before anything happens, so that a first increase is seen", async () => {
    const found = await series(new ConsumerMetrics("1.2.3", "parquet"));
    for (const result of recordResults)
      expect(found.get(`ingest_records_total{source="kafka",result="${result}"}`)).toBe(0);
    for (const cause of gapCauses) {
      expect(found.get(`ingest_offsets_without_rows_total{source="kafka",cause="${cause}"}`)).toBe(0);
    }
    expect(found.get('ingest_shards_total{format="parquet"}')).toBe(0);
    expect(found.get('ingest_build_info{version="1.2.3"}')).toBe(1);
  });

  test("count what happened", async () => {
    const metrics = new ConsumerMetrics("1.2.3", undefined);
    metrics.records("delivered", 7);
    metrics.handedOver(1000, Date.now() - 2000);
    metrics.gap("control", 3);
    metrics.assigned(2, true);
    metrics.lag("flights", 3, 12, 4.5);
    metrics.commit("REBALANCE_IN_PROGRESS");
    const found = await series(metrics);
    expect(found.get('ingest_records_total{source="kafka",result="delivered"}')).toBe(7);
    expect(found.get('ingest_bytes_total{source="kafka",layer="decoded"}')).toBe(1000);
    expect(found.get('ingest_record_age_seconds_bucket{le="1.5",source="kafka"}')).toBe(0);
    expect(found.get('ingest_record_age_seconds_count{source="kafka"}')).toBe(1);
    expect(found.get('ingest_consumer_lag_records{topic="flights",partition="3"}')).toBe(12);
    expect(found.get('ingest_commits_total{source="kafka",result="failed"}')).toBe(1);
    metrics.lag("flights", 3, 90, undefined);
    const unknown = await series(metrics);
    expect(unknown.get('ingest_consumer_lag_records{topic="flights",partition="3"}')).toBe(90);
    expect(unknown.has('ingest_consumer_lag_seconds{topic="flights",partition="3"}')).toBe(false);
    metrics.assigned(0, false);
    expect([...(await series(metrics)).keys()].some((key) => key.startsWith("ingest_consumer_lag"))).toBe(false);
  });
});
