export type { TableWriter, Written } from "./writer.ts";
