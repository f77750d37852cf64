// Parquet metadata changed field by field and written again: footers and page headers that are well-formed Thrift and lie.
import { readFileSync } from "node:fs";
import { Dice } from "@ingest-ts/core/testing";
import { expect, test } from "vitest";
import type { OpenOptions } from "../../src/open.ts";
import { outcomeOf } from "../outcome.ts";
import { fixtureBytes } from "./support.ts";
import {
  allNodes,
  at,
  BINARY,
  LIST,
  readThrift,
  STRUCT,
  type ThriftMember,
  type ThriftNode,
  writeThrift,
} from "./thrift-tree.ts";

const RUNS = Math.ceil(Number(process.env["INGEST_FUZZ_RUNS"] ?? 10_000) / 10);
const SEED = Number(process.env["INGEST_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const folder = new URL("../../../../test/fixtures/parquet/", import.meta.url);
const originals = [
  ...["tiny-v1", "tiny-v2", "tiny-delta", "tiny-zstd", "nested-plain"].map((name) => ({
    name,
    bytes: fixtureBytes(name),
  })),
  ...["spark.int96", "extensions", "dictionary.pyarrow-v2", "nested-five.polars", "decimals.pyarrow-integers"].map(
    (name) => ({
      name,
      bytes: new Uint8Array(readFileSync(new URL(`${name}.parquet`, folder))),
    }),
  ),
];

const integers = [
  0n,
  1n,
  -1n,
  2n,
  127n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

function changeInteger(value: bigint, dice: Dice): bigint {
  return dice.pick([...integers, value + 1n, value - 1n, value * 2n, -value, BigInt(dice.below(40))]);
}

function changeBytes(value: Uint8Array, dice: Dice): Uint8Array {
  switch (dice.below(4)) {
    case 0:
      return value.slice(0, dice.below(value.length + 1));
    case 1:
      return Uint8Array.from([...value, ...Array.from({ length: dice.below(300) }, () => dice.below(256))]);
    case 2:
      return new Uint8Array(0);
    default:
      return value.map((byte) => (dice.chance(0.3) ? dice.below(256) : byte));
  }
}

/** Changes one list or the members of one struct: left out, doubled, moved, exchanged. */
function changeItems<T>(items: T[], dice: Dice): void {
  if (items.length === 0) return;
  const i = dice.below(items.length);
  const j = dice.below(items.length);
  switch (dice.below(4)) {
    case 0:
      items.splice(i, 1);
      break;
    case 1:
      items.splice(j, 0, structuredClone(items[i] as T));
      break;
    case 2:
      items.splice(i);
      break;
    default:
      [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
}

function changeStruct(members: ThriftMember[], dice: Dice): void {
  const member = members[dice.below(Math.max(1, members.length))];
  if (member === undefined || dice.chance(0.6)) {
    changeItems(members, dice);
    return;
  }
  if (dice.chance(0.5)) member.id = dice.pick([member.id + 1, 0, -1, 32_767, dice.below(20)]);
  else {
    const other = dice.pick(members);
    [member.node, other.node] = [other.node, member.node];
  }
}

/** Changes one node of a tree. */
function change(root: ThriftNode, dice: Dice): void {
  const node = dice.pick(allNodes(root));
  const { type, value } = node;
  if (typeof value === "bigint") node.value = changeInteger(value, dice);
  else if (value === undefined) node.type = 3 - type;
  else if (value instanceof Uint8Array)
    node.value = type === BINARY ? changeBytes(value, dice) : value.map(() => dice.below(256));
  else if (type === STRUCT) changeStruct(value as ThriftMember[], dice);
  else if (type === LIST && dice.chance(0.1)) node.element = dice.below(14);
  else changeItems(value as ThriftNode[], dice);
}

interface Parts {
  readonly body: Uint8Array;
  readonly footer: ThriftNode;
}

function partsOf(bytes: Uint8Array): Parts {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
  const start = bytes.length - 8 - length;
  return { body: bytes.slice(0, start), footer: readThrift(bytes, start).node };
}

function join({ body, footer }: Parts): Uint8Array {
  const written = writeThrift(footer);
  const out = new Uint8Array(body.length + written.length + 8);
  out.set(body);
  out.set(written, body.length);
  new DataView(out.buffer).setUint32(body.length + written.length, written.length, true);
  out.set(new TextEncoder().encode("PAR1"), out.length - 4);
  return out;
}

/** The structs of a list; none where something else has been put. */
function structsOf(node: ThriftNode | undefined): ThriftNode[] {
  if (node?.type !== LIST || !Array.isArray(node.value)) return [];
  return (node.value as ThriftNode[]).filter(({ type, value }) => type === STRUCT && Array.isArray(value));
}

/** Column chunks, with their metadata at 3. */
function columnsOf(footer: ThriftNode): ThriftNode[] {
  return structsOf(at(footer, 4)).flatMap((group) => structsOf(at(group, 1)));
}

function chunksOf(footer: ThriftNode): ThriftNode[] {
  return columnsOf(footer).flatMap((column) => {
    const chunk = at(column, 3);
    return chunk?.type === STRUCT && Array.isArray(chunk.value) ? [chunk] : [];
  });
}

/** Moves everything that lies behind byte `from` by `by`, as far as the footer tells. */
function shift(footer: ThriftNode, from: bigint, by: bigint): void {
  const move = (node: ThriftNode | undefined): void => {
    if (typeof node?.value === "bigint" && node.value > from) node.value += by;
  };
  for (const chunk of chunksOf(footer)) {
    const first = [at(chunk, 9), at(chunk, 11)].flatMap((node) =>
      typeof node?.value === "bigint" && node.value > 0n ? [node.value] : [],
    );
    const start = first.reduce((least, each) => (each < least ? each : least), 2n ** 62n);
    const size = at(chunk, 7);
    if (typeof size?.value === "bigint" && start <= from && from < start + size.value) size.value += by;
    for (const id of [9, 10, 11, 14]) move(at(chunk, id));
  }
  for (const column of columnsOf(footer)) for (const id of [4, 6]) move(at(column, id));
}

/** Changes the header of the first page of a chunk, and keeps the footer right about where things are. */
function changePage({ body, footer }: Parts, dice: Dice): Parts {
  const chunks = chunksOf(footer);
  if (chunks.length === 0) return { body, footer };
  const chunk = dice.pick(chunks);
  const place = at(chunk, dice.pick([9, 9, 11]))?.value ?? at(chunk, 9)?.value;
  const start = Number(place);
  if (!(start > 0 && start < body.length)) return { body, footer };
  const { node, end } = readThrift(body, start);
  change(node, dice);
  const header = writeThrift(node);
  const out = new Uint8Array(body.length - (end - start) + header.length);
  out.set(body.subarray(0, start));
  out.set(header, start);
  out.set(body.subarray(end), start + header.length);
  shift(footer, BigInt(start), BigInt(header.length - (end - start)));
  return { body: out, footer };
}

const options: readonly OpenOptions[] = [
  {},
  { dictionary: "preserve" },
  { timestampUnit: "us", int96: "utc", batchRows: 50 },
  { where: ["isNull", "a"] },
  { where: ["gt", "id", 3], dictionary: "preserve" },
];

test(
  `${RUNS} files with changed metadata give a typed error or the rows they claim (seed ${SEED})`,
  async () => {
    for (const { name, bytes } of originals) {
      expect(join(partsOf(bytes)), `${name} is written again as it was`).toEqual(bytes);
    }
    const counts = { error: 0, rows: 0 };
    for (let run = 0; run < RUNS; run++) {
      const dice = new Dice(SEED + run);
      const { name, bytes } = dice.pick(originals);
      let parts = partsOf(bytes);
      for (let i = dice.below(2); i >= 0; i--) {
        if (dice.chance(0.4)) parts = changePage(parts, dice);
        else change(parts.footer, dice);
      }
      try {
        const outcome = await outcomeOf(join(parts), "parquet", dice.pick(options));
        counts[outcome === "error" ? "error" : "rows"]++;
      } catch (error) {
        throw new Error(`seed ${SEED + run} on ${name}`, { cause: error });
      }
    }
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
    // Of a few files all may end alike.
    if (RUNS < 200) return;
    expect(counts.error).toBeGreaterThan(RUNS / 4);
    expect(counts.rows).toBeGreaterThan(RUNS / 20);
  },
  Math.max(120_000, RUNS * 100),
);
