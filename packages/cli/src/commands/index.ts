import type { Command } from "commander";

/** A command as the overview knows it; its module loads when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<(program: Command) => void>;
}

/** Every command, in the order of the overview. Add a row to add a command. */
export const commands: readonly CommandEntry[] = [
  {
    name: "bench",
    summary: "measure size, write, read and shuffle of your data in every format and codec",
    load: async () => (await import("./bench.ts")).registerBench,
  },
  {
    name: "cat",
    summary: "print rows as a table, JSON lines, CSV or Arrow",
    load: async () => (await import("./cat.ts")).registerCat,
  },
  {
    name: "schema",
    summary: "print the columns and their Arrow types",
    load: async () => (await import("./schema.ts")).registerSchema,
  },
  {
    name: "inspect",
    summary: "print how a file is laid out: fragments, columns, sizes, statistics",
    load: async () => (await import("./inspect.ts")).registerInspect,
  },
  {
    name: "validate",
    summary: "decode files whole, verify every checksum, name the first bad place",
    load: async () => (await import("./validate.ts")).registerValidate,
  },
  {
    name: "convert",
    summary: "write rows in another format, codec, layout or order",
    load: async () => (await import("./convert.ts")).registerConvert,
  },
  {
    name: "count",
    summary: "print the number of rows",
    load: async () => (await import("./count.ts")).registerCount,
  },
  {
    name: "index",
    summary: "describe the files of a folder once, so that runs open none before its turn",
    load: async () => (await import("./index-cmd.ts")).registerIndex,
  },
  {
    name: "plan",
    summary: "print what a run would read on every rank, and what it costs",
    load: async () => (await import("./plan.ts")).registerPlan,
  },
  {
    name: "serve",
    summary: "hand batches to trainers in any language, over HTTP and Arrow",
    load: async () => (await import("./serve.ts")).registerServe,
  },
  {
    name: "consume",
    summary: "records of Kafka into shards of any format, or to standard output",
    load: async () => (await import("./consume.ts")).registerConsume,
  },
  {
    name: "kafka",
    summary: "look at a cluster of Kafka: brokers, topics, how far a group is behind",
    load: async () => (await import("./kafka.ts")).registerKafka,
  },
  {
    name: "env",
    summary: "print which rank this process is, and which variables say so",
    load: async () => (await import("./env.ts")).registerEnv,
  },
  {
    name: "audit",
    summary: "prove from ledgers that every row was consumed once",
    load: async () => (await import("./audit.ts")).registerAudit,
  },
];
