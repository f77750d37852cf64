export type { TFRecordCodec, TFRecordWriterOptions } from "./options.ts";
export { tfrecordSchemaJson } from "./schema-json.ts";
export { createTFRecordWriter } from "./writer.ts";
