export type { ORCCodec, ORCWriterOptions } from "./options.ts";
export { createORCWriter } from "./writer.ts";
