// Version 1 of the format, as later releases must still read it: two ranks, a kill, a restart from position 4.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLedgers } from "@ingest-ts/loader/ledger";
import { buildManifest, fingerprintOf } from "@ingest-ts/sharder";
import { expect, test } from "vitest";

const objects = [{ name: "a.parquet", sizeBytes: 99, digest: "ab", fragmentRows: [3, 5] }];
const header =
  '{"ledger":1,"orderVersion":1,"seed":0,"lanes":2,"windowRows":0,"ends":"uneven","where":null,' +
  `"fingerprint":{"segments":1,"rows":8,"digest":"${fingerprintOf(buildManifest(objects)).digest}"},"rows":8,` +
  '"objects":[["a.parquet",99,"ab",[3,5]]],"segments":[["",1]]}\n';

function start(id: string, rank: number, position: number, second: number): string {
  return (
    `{"attempt":"${id}","rank":${rank},"worldSize":2,"batchSize":2,"epoch":0,"position":${position},` +
    `"columns":"c0","startedAt":"2026-11-24T00:00:${second}.000Z"}\n`
  );
}

function batch(id: string, from: number, digest: string): string {
  return `{"batch":"${id}","epoch":0,"step":${from / 4},"from":${from},"to":${from + 4},"rows":2,"digest":"${digest}","ms":5}\n`;
}

test("a ledger of version 1", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ingest-ledger-golden-"));
  try {
    const one = header + start("a0", 0, 0, 10) + batch("a0", 0, "d1") + batch("a0", 4, "d2");
    const again = (digest: string): string => start("b0", 0, 4, 20) + batch("b0", 4, digest);
    const two = header + start("a1", 1, 0, 10) + batch("a1", 0, "e1") + start("b1", 1, 4, 20) + batch("b1", 4, "e2");
    await writeFile(join(folder, "rank-1.jsonl"), two);
    await writeFile(join(folder, "rank-0.jsonl"), one + again("d2"));
    const epochs = [{ epoch: 0, rows: 8, onceRows: 8, paddedRows: 0, rolledBackRows: 2 }];
    expect(await auditLedgers([folder])).toMatchObject({ ok: true, attempts: 4, worldSizes: [2], epochs });
    // Positions 4 and 6 are the third and fourth row of lane 0, whose rows are 0 to 3.
    await writeFile(join(folder, "rank-0.jsonl"), one + again("d9"));
    const differ = { kind: "differ", epoch: 0, rows: 2, ranges: [{ file: "a.parquet", from: 2, to: 4 }], more: 0 };
    expect((await auditLedgers([folder])).findings).toEqual([differ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
