export type { AvroWriterCodec, AvroWriterOptions } from "./options.ts";
export { createAvroWriter } from "./writer.ts";
