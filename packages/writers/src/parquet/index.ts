export type { TableWriter, Written } from "../writer.ts";
export type { ParquetCodec, ParquetWriterOptions } from "./options.ts";
export { createParquetWriter } from "./writer.ts";
