// What is read: sizes of values × codecs, on four partitions. The helper of the tests writes them.
export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
export const partitions = 4;

/** Values of `sizeBytes`, so many that reading takes long enough to be measured. */
export function sizesOf(quick) {
  return [
    { name: "100 B", sizeBytes: 100, count: quick ? 100_000 : 2_000_000 },
    { name: "1 KB", sizeBytes: 1000, count: quick ? 20_000 : 400_000 },
    { name: "1 MB", sizeBytes: 1_000_000, count: quick ? 20 : 400 },
  ];
}

export const topicOf = (size, codec) => `bench-${size.sizeBytes}-${codec}`;
