export { detectFormat } from "./detect.ts";
export { open, type OpenOptions } from "./open.ts";
export type { FragmentOptions, Reader } from "./reader.ts";
