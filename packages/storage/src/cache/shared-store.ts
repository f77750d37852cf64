import { onSettings, storageSettings } from "../settings.ts";
import { BlockStore } from "./block-store.ts";

let shared: BlockStore | undefined;
onSettings(() => {
  shared = undefined;
});

/** The cache that the settings ask for. @throws OptionsError when its folder cannot be made */
export async function sharedStore(): Promise<BlockStore | undefined> {
  const { cacheDir, cacheBytes } = storageSettings();
  if (cacheDir === undefined) return undefined;
  const store = (shared ??= new BlockStore(cacheDir, cacheBytes));
  await store.check();
  return store;
}

/** Resolves when what was read has been written to the cache. */
export async function flushCache(): Promise<void> {
  await shared?.flush();
}
