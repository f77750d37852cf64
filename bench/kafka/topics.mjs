// What is read: sizes of values × codecs, on four partitions. The helper of the tests writes them.
export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
export const partitions = 4;

/**
 * Values of `sizeBytes`. What is uncompressed is read several times; of the codecs, of the larger ones, half is enough.
 * `small` records are read by every engine for the sum, and before the clock starts, to be warm.
 */
export function sizesOf(quick, codec) {
  const whole = quick ? 0.1 : 1;
  const scale = whole * (codec === "none" ? 1 : 0.5);
  return [
    { name: "100 B", sizeBytes: 100, count: 1_200_000 * whole, small: 40_000 },
    { name: "1 KB", sizeBytes: 1000, count: 240_000 * scale, small: 20_000 },
    { name: "1 MB", sizeBytes: 1_000_000, count: 240 * scale, small: 40 },
  ];
}

export const topicOf = (size, codec) => `bench-${size.sizeBytes}-${codec}`;
