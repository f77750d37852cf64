import { OptionsError } from "@ingest-ts/core";

export type TFRecordCodec = "none" | "gzip";

export interface TFRecordWriterOptions {
  /** Of the whole file; default "none". gzip is written as members of some MiB, one behind the other. */
  readonly codec?: TFRecordCodec | undefined;
  /** 0 to 9; gzip's default when undefined. */
  readonly level?: number | undefined;
  /**
   * What to do with float64 columns, which no list of a feature holds exactly: refuse them (the default), or write the
   * int64 with the same bits, which `<file>.schema.json` turns back (and `tf.bitcast(x, tf.float64)`).
   */
  readonly float64?: "refuse" | "bits" | undefined;
}

export interface ResolvedOptions {
  readonly codec: TFRecordCodec;
  readonly level: number | undefined;
  readonly float64: "refuse" | "bits";
}

function oneOf<T extends string>(name: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  throw new OptionsError(`${name} is "${value}"`, { remedy: `Choose one of ${values.join(", ")}.` });
}

/** Options with every default filled in. @throws OptionsError for a value outside its range. */
export function resolveOptions(options: TFRecordWriterOptions): ResolvedOptions {
  const { level } = options;
  if (level !== undefined && !(Number.isSafeInteger(level) && level >= 0 && level <= 9)) {
    throw new OptionsError(`level must be a whole number from 0 to 9, not ${level}`);
  }
  return {
    codec: oneOf("codec", options.codec ?? "none", ["none", "gzip"]),
    level,
    float64: oneOf("float64", options.float64 ?? "refuse", ["refuse", "bits"]),
  };
}
