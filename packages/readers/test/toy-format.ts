import type { Columns, DecodeOptions, Decoder, Format, Fragment, Select } from "@ingest-ts/core";

/**
 * Bytes as rows of one uint8 column `value` and one `copy`, in fragments of `fragmentBytes`: enough to see what the
 * driver does. `lie` says how many rows each fragment claims beyond those it has.
 */
export function toyFormat(fragmentBytes: number, lie = 0): Format<{ size: number; url: string }, null> {
  const type = { kind: "int", bits: 8, signed: false } as const;
  const names = ["value", "copy"];
  const picked = (select: Select): string[] => select.columns?.map(([name]) => name as string) ?? names;
  return {
    name: "avro",
    readMetadata: async (source) => ({ size: (await source.stat()).sizeBytes, url: source.url }),
    prepare: async () => {},
    toSchema: (_, select) => ({
      fields: picked(select).map((name) => ({ name, type, nullable: false })),
      metadata: {},
    }),
    plan: ({ size, url }) =>
      Array.from({ length: Math.ceil(size / fragmentBytes) }, (_, ordinal): Fragment<null> => {
        const rows = Math.min(fragmentBytes, size - ordinal * fragmentBytes);
        return { url, ordinal, rows: rows + lie, sizeBytes: rows, plan: null };
      }),
    *decode({ ordinal, rows }, _, { select, rows: range, batchRows }: DecodeOptions): Decoder {
      const start = ordinal * fragmentBytes;
      const [from, to] = range ?? [0, (rows as number) - lie];
      const [bytes] = yield { need: [{ start: start + from, end: start + to }] };
      for (let at = from; at < to; at += batchRows) {
        const end = Math.min(to, at + batchRows);
        const data = (bytes as Uint8Array).subarray(at - from, end - from);
        const column = { type, length: end - at, nullCount: 0, validity: null, offsets: null, data, children: [] };
        const columns = picked(select).map(() => ({ ...column, dictionary: null }));
        yield { rows: end - at, columns } satisfies Columns;
      }
    },
  };
}
