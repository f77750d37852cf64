/**
 * TFRecord files and the protocol buffers in them: constants and on-disk types.
 *
 * A file is nothing but records, one behind the other: u64 length, u32 masked CRC-32C of those 8 bytes, the data, u32
 * masked CRC-32C of the data; little-endian (tensorflow/core/lib/io/record_writer.h). The whole file may be one gzip or
 * zlib stream, which nothing in it tells. The data are usually one tf.train.Example or SequenceExample
 * (tensorflow/core/example/{example,feature}.proto).
 */
export const headerBytes = 12;
/** Behind the data: their masked CRC-32C. */
export const footerBytes = 4;
/** What framing adds to a record's data. */
export const framingBytes: number = headerBytes + footerBytes;

const MiB = 1024 * 1024;

/** Asked of the source at a time. */
export const readBytes: number = 8 * MiB;

/** How much of a file decides its features when no schema is declared: records, or bytes when those are more. */
export const inferenceRecords = 1_000;
/** The same in bytes. */
export const inferenceBytes: number = 64 * MiB;

/** A run of an index ends at the record that brings it to so many rows or bytes (index version 1). */
export const runRows = 16_384;
/** The same in bytes. */
export const runBytes: number = 16 * MiB;

/** Records of this size are checked by native code and their values copied once; below, one kernel call does many. */
export const largeRecordBytes: number = 16 * 1024;

/** The only column of raw records. */
export const recordColumn = "record";
/** The column that holds the feature lists of SequenceExamples. */
export const sequenceColumn = "##SEQUENCE##";

export type Compression = "none" | "gzip" | "zlib";

export type RecordType = "example" | "sequenceExample" | "bytes";

/** What a feature's lists hold, in the words of a declared schema. */
export type DType = "bytes" | "float32" | "int64";

/** Field numbers of Feature's oneof; 0 when none is set. */
export const featureKinds = { bytes: 1, float32: 2, int64: 3 } as const;
export type FeatureKind = 0 | 1 | 2 | 3;

/** The name of a kind as Feature spells it. */
export function kindName(kind: FeatureKind): string {
  return (["no kind", "bytes_list", "float_list", "int64_list"] as const)[kind];
}

/** Field numbers of the messages; all of these fields are length-delimited. */
export const fields = {
  exampleFeatures: 1,
  sequenceContext: 1,
  sequenceLists: 2,
  mapEntry: 1,
  mapKey: 1,
  mapValue: 2,
  /** BytesList, FloatList, Int64List. */
  listValue: 1,
  featureListFeature: 1,
} as const;

/** Protocol buffer wire types. */
export const wireTypes = { varint: 0, fixed64: 1, length: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;
