import { type ByteSource, FormatError, type ObjectStat, type RangeOptions, SourceError } from "@ingest-ts/core";

/**
 * `source` as formats see it. Ranges come from the object's own metadata, so one that lies outside the object is a
 * `FormatError`; an answer of another length than asked is a `SourceError`, whatever the source.
 */
export function checkedSource(source: ByteSource, { sizeBytes, etag }: ObjectStat): ByteSource {
  const { url, nearby } = source;
  return {
    url,
    nearby,
    stat: async () => ({ sizeBytes, etag }),
    close: () => source.close(),
    async getRanges(ranges, options: RangeOptions = {}): Promise<Uint8Array[]> {
      for (const range of ranges) {
        if ("suffixBytes" in range) continue;
        const { start, end } = range;
        if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= sizeBytes)
          continue;
        throw new FormatError(`bytes ${start} to ${end} are referred to, the object has ${sizeBytes}`, {
          where: { url, offset: start },
          remedy: "The object is truncated or corrupt.",
        });
      }
      const answers = await source.getRanges(ranges, options);
      ranges.forEach((range, i) => {
        const wanted = "suffixBytes" in range ? Math.min(range.suffixBytes, sizeBytes) : range.end - range.start;
        const got = answers[i]?.length ?? 0;
        if (got === wanted) return;
        throw new SourceError(`${got} bytes were answered where ${wanted} were asked`, {
          where: "suffixBytes" in range ? { url } : { url, offset: range.start },
          retryable: true,
        });
      });
      return answers;
    },
  };
}
