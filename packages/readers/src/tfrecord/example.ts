import { type FeatureKind, featureKinds, fields, kindName, wireTypes } from "./spec.ts";
import { Wire, WireError } from "./wire.ts";

/** One feature of a record: its kind, and where its lists lie in the record's bytes. */
export interface FeatureValue {
  kind: FeatureKind;
  /** Pairs of start and end. More than one when the feature was merged from several messages: lists concatenate. */
  readonly spans: number[];
}

/** Features by name. A name that comes again replaces what it was (protocol buffer maps: the last one wins). */
export type FeatureMap = Map<string, FeatureValue>;

/** The two halves of a SequenceExample. */
export interface SequenceValue {
  readonly context: FeatureMap;
  readonly lists: Map<string, FeatureValue[]>;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** undefined: not UTF-8. */
function keyText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 128) {
      try {
        return decoder.decode(bytes.subarray(start, end));
      } catch {
        return undefined;
      }
    }
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Names whose features are wanted; undefined: all. Others are passed over unread, as kernels do. */
export type Wanted = ReadonlyMap<string, unknown> | undefined;

/** Feature in [position, end), merged into `value`: another kind replaces, the same kind appends. */
function readFeature(wire: Wire, end: number, value: FeatureValue): void {
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field > featureKinds.int64) {
      wire.skip(end);
      continue;
    }
    const kind = wire.field as FeatureKind;
    const listEnd = wire.message(end, kindName(kind));
    if (kind !== value.kind) {
      value.kind = kind;
      value.spans.length = 0;
    }
    value.spans.push(wire.position, listEnd);
    wire.position = listEnd;
  }
}

/** The name of a map entry in [position, end), and where its values lie: more than one are to be merged. */
function readEntry(wire: Wire, end: number, wanted: Wanted): { key: string | undefined; values: number[] } {
  let key: string | undefined = "";
  const values: number[] = [];
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field === fields.mapKey) {
      const keyEnd = wire.message(end, "the name of a feature");
      key = keyText(wire.bytes, wire.position, keyEnd);
      if (key === undefined && wanted === undefined) {
        throw new WireError("the name of a feature is not UTF-8", wire.position);
      }
      wire.position = keyEnd;
    } else if (wire.field === fields.mapValue) {
      const valueEnd = wire.message(end, "the value of a feature");
      values.push(wire.position, valueEnd);
      wire.position = valueEnd;
    } else wire.skip(end);
  }
  return { key, values };
}

/** A map in [position, end): Features or FeatureLists, whose entries are alike. `readValue` merges into its target. */
function readMap<T>(
  wire: Wire,
  end: number,
  into: Map<string, T>,
  wanted: Wanted,
  create: () => T,
  readValue: (end: number, into: T) => void,
): void {
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field !== fields.mapEntry) {
      wire.skip(end);
      continue;
    }
    const entryEnd = wire.message(end, "a feature");
    const { key, values } = readEntry(wire, entryEnd, wanted);
    if (key !== undefined && (wanted === undefined || wanted.has(key))) {
      const value = create();
      for (let i = 0; i < values.length; i += 2) {
        wire.position = values[i] as number;
        readValue(values[i + 1] as number, value);
      }
      into.set(key, value);
    }
    wire.position = entryEnd;
  }
}

const newFeature = (): FeatureValue => ({ kind: 0, spans: [] });

function readFeatures(wire: Wire, end: number, into: FeatureMap, wanted: Wanted): void {
  readMap(wire, end, into, wanted, newFeature, (valueEnd, value) => readFeature(wire, valueEnd, value));
}

function readFeatureList(wire: Wire, end: number, into: FeatureValue[]): void {
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field !== fields.featureListFeature) {
      wire.skip(end);
      continue;
    }
    const stepEnd = wire.message(end, "a step of a feature list");
    const step = newFeature();
    readFeature(wire, stepEnd, step);
    into.push(step);
  }
}

/**
 * tf.train.Example in [start, end) of `bytes`, with all that protocol buffers allow: fields in any order, unknown ones
 * skipped, messages merged. Values are not looked into: see `countValues`.
 *
 * @throws WireError
 */
export function parseExample(bytes: Uint8Array, start: number, end: number, wanted?: Wanted): FeatureMap {
  const wire = new Wire(bytes, start);
  const features: FeatureMap = new Map();
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field === fields.exampleFeatures) {
      readFeatures(wire, wire.message(end, "Example.features"), features, wanted);
    } else wire.skip(end);
  }
  return features;
}

/** tf.train.SequenceExample, as `parseExample`. */
export function parseSequenceExample(
  bytes: Uint8Array,
  start: number,
  end: number,
  wantedContext?: Wanted,
  wantedLists?: Wanted,
): SequenceValue {
  const wire = new Wire(bytes, start);
  const context: FeatureMap = new Map();
  const lists = new Map<string, FeatureValue[]>();
  while (wire.position < end) {
    wire.tag(end);
    if (wire.field === fields.sequenceContext) {
      readFeatures(wire, wire.message(end, "SequenceExample.context"), context, wantedContext);
    } else if (wire.field === fields.sequenceLists) {
      const listsEnd = wire.message(end, "SequenceExample.feature_lists");
      readMap(
        wire,
        listsEnd,
        lists,
        wantedLists,
        () => [],
        (valueEnd, steps) => readFeatureList(wire, valueEnd, steps),
      );
    } else wire.skip(end);
  }
  return { context, lists };
}

/**
 * Calls `each` for every run of values of a feature: a packed run (several values in [start, end)) or a single value.
 * BytesList has only single ones.
 *
 * @throws WireError
 */
export function eachRun(
  bytes: Uint8Array,
  value: FeatureValue,
  each: (start: number, end: number, packed: boolean) => void,
): void {
  const { kind, spans } = value;
  const single = kind === featureKinds.float32 ? wireTypes.fixed32 : wireTypes.varint;
  const wire = new Wire(bytes);
  for (let i = 0; i < spans.length; i += 2) {
    const end = spans[i + 1] as number;
    wire.position = spans[i] as number;
    while (wire.position < end) {
      wire.tag(end);
      if (wire.field !== fields.listValue) {
        wire.skip(end);
      } else if (wire.wireType === wireTypes.length) {
        const runEnd = wire.lengthEnd(end);
        each(wire.position, runEnd, kind !== featureKinds.bytes);
        wire.position = runEnd;
      } else if (wire.wireType === single && kind !== featureKinds.bytes) {
        const start = wire.position;
        wire.skip(end);
        each(start, wire.position, false);
      } else {
        throw new WireError(`a value of a ${kindName(kind)} has wire type ${wire.wireType}`, wire.position);
      }
    }
  }
}

/** How many values a feature has; checks packed runs as far as counting needs. @throws WireError */
export function countValues(bytes: Uint8Array, value: FeatureValue): number {
  let count = 0;
  eachRun(bytes, value, (start, end, packed) => {
    if (!packed) count++;
    else if (value.kind === featureKinds.float32) {
      if ((end - start) % 4 !== 0) throw new WireError(`packed floats of ${end - start} bytes`, start);
      count += (end - start) / 4;
    } else {
      if (end > start && (bytes[end - 1] as number) >= 128) throw new WireError("a packed varint is cut", end - 1);
      for (let i = start; i < end; i++) if ((bytes[i] as number) < 128) count++;
    }
  });
  return count;
}

/**
 * Varints of [start, end) as int64: low and high words in turn from word `at` of `out`. Answers the word after the last.
 *
 * @throws WireError when one is longer than 10 bytes or cut
 */
export function readVarints(bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number): number {
  for (let i = start; i < end; ) {
    let low = 0;
    let high = 0;
    let shift = 0;
    let byte = 128;
    for (; byte >= 128; shift += 7) {
      if (shift === 70) throw new WireError("a varint is longer than 10 bytes", i - 10);
      if (i === end) throw new WireError("a varint is cut", start);
      byte = bytes[i++] as number;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
    }
    out[at] = low;
    out[at + 1] = high;
    at += 2;
  }
  return at;
}

// What writers of Examples share with this reader.
export { kindOf } from "./feature.ts";
export { float16Value } from "./float16.ts";
export { type FeatureMapping, mapToFeature } from "./logical.ts";
