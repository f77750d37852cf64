import { type ByteSource, OptionsError } from "@ingest-ts/core";

/** What stands for the bytes of a data set, which has none of its own: everything but `close` is refused. */
export function datasetSource(url: string): ByteSource {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new OptionsError("a data set has no bytes of its own", {
        where: { url },
        remedy: "Read its files, or hand on the folder itself instead of a reader of it.",
      }),
    );
  return { url, stat: refuse, getRanges: refuse, close: () => Promise.resolve() };
}
