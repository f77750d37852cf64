/** Runs `body` over all items, `atOnce` at a time; the first failure is thrown once all that began have settled. */
export async function mapSome<T, R>(
  items: readonly T[],
  atOnce: number,
  body: (item: T, i: number) => Promise<R>,
): Promise<R[]> {
  const out = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const i = next++;
      try {
        out[i] = await body(items[i] as T, i);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return out;
}
