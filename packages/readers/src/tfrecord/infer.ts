import { compareNames, FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { type FeatureMap, type FeatureValue, parseExample, parseSequenceExample } from "./example.ts";
import { type FeatureSpec, listFeature } from "./feature.ts";
import { type DType, type FeatureKind, kindName } from "./spec.ts";

const dtypes: Readonly<Record<FeatureKind, DType | null>> = { 0: null, 1: "bytes", 2: "float32", 3: "int64" };

/** A feature that two records give different kinds. */
function kindConflict(name: string, known: FeatureKind, found: FeatureKind): string {
  return `feature "${name}" is a ${kindName(found)}, but was a ${kindName(known)} before`;
}

/** Collects the kinds of features from records. */
class Kinds {
  readonly #kinds = new Map<string, FeatureKind>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws FormatError for two kinds, UnsupportedError over `limits.columns` */
  see(name: string, { kind }: FeatureValue): void {
    const known = this.#kinds.get(name) ?? 0;
    if (kind !== 0 && known !== 0 && kind !== known) throw new FormatError(kindConflict(name, known, kind));
    this.name(name);
    if (kind !== 0) this.#kinds.set(name, kind);
  }

  /** A name of which no kind is known yet. */
  name(name: string): void {
    if (this.#kinds.has(name)) return;
    this.#kinds.set(name, 0);
    const { columns } = this.#limits;
    if (this.#kinds.size > columns) {
      throw new UnsupportedError(`more features than limits.columns = ${columns}`, {
        remedy: "Declare the features that are wanted, or raise limits.columns.",
      });
    }
  }

  seeAll(features: FeatureMap): void {
    for (const [name, value] of features) this.see(name, value);
  }

  features(): FeatureSpec[] {
    const names = [...this.#kinds.keys()].sort(compareNames);
    return names.map((name) => listFeature(name, dtypes[this.#kinds.get(name) ?? 0]));
  }
}

/** Finds out the features of Examples or SequenceExamples, record by record. */
export class Inference {
  readonly #sequence: boolean;
  readonly #context: Kinds;
  readonly #lists: Kinds;

  constructor(recordType: "example" | "sequenceExample", limits: Limits) {
    this.#sequence = recordType === "sequenceExample";
    this.#context = new Kinds(limits);
    this.#lists = new Kinds(limits);
  }

  /** @throws WireError, FormatError, UnsupportedError */
  see(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#sequence) {
      this.#context.seeAll(parseExample(bytes, start, end));
      return;
    }
    const { context, lists } = parseSequenceExample(bytes, start, end);
    this.#context.seeAll(context);
    for (const [name, steps] of lists) {
      this.#lists.name(name);
      for (const step of steps) this.#lists.see(name, step);
    }
  }

  /** In byte order of their names. */
  features(): FeatureSpec[] {
    return this.#context.features();
  }

  lists(): FeatureSpec[] {
    return this.#lists.features();
  }
}
