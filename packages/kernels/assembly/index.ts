// The one module: every kernel file is re-exported here. Pointers are byte addresses in the module's memory, lengths are
// in bytes or values as named. No kernel trusts its input: each checks lengths once per run or page and answers a
// negative code instead of reading or writing outside what it was given. Buffers have SLACK readable and writable bytes
// behind them (see src/arena.ts), so that 16-byte stores may run past a value.
export { heapBase } from "./memory";
export { position, validCount } from "./status";
export { copyBits, spreadBits } from "./bits";
export { bitPackedLevels, rleBits, rleIndices, rleIntegers, rleLevels } from "./rle";
export { levelsToLists, levelsToSlots, levelsToValidity } from "./levels";
export { listStarts, rowBoundary, widenOffsets } from "./row-walks";
export {
  checkIndices,
  gather1,
  gather16,
  gather2,
  gather32,
  gather4,
  gather8,
  gatherFixed,
} from "./gather";
export { spread1, spread16, spread2, spread32, spread4, spread8, spreadFixed } from "./spread";
export {
  addToOffsets,
  checkUniform,
  gatherStrings,
  gatheredBytes,
  plainStringTable,
  plainStrings,
  spreadOffsets,
} from "./strings";
export { deltaBinaryPacked32, deltaBinaryPacked64, deltaCount } from "./delta";
export { deltaByteArrayLengths, deltaByteArrayValues, deltaLengthStrings } from "./delta-strings";
export { byteStreamSplit } from "./byte-stream-split";
export { decimalFixed, decimalFrom32, decimalFrom64, decimalStrings } from "./decimal";
export { int96ToTimestamp, narrowToInt16, narrowToInt8, narrowToUint16, narrowToUint8, rescale } from "./convert";
export { validateUtf8 } from "./utf8";
export { snappyDecompress, snappySize } from "./snappy";
export { snappyBound, snappyCompress } from "./snappy-compress";
export { lz4Decompress } from "./lz4";
export { lz4Bound, lz4Compress } from "./lz4-compress";
export { lzoDecompress } from "./lzo";
export { crc32 } from "./crc32";
export { crc32c, maskedCrc32c } from "./crc32c";
export { crc32cMany } from "./crc32c-many";
export { decodeRecords, varints } from "./tfrecord";
export { kafkaRecords } from "./kafka";
export { avroDatums, avroRows } from "./avro";
export { encodeExamples } from "./tfrecord-encode";
export { concatStrings, gatherBits, weaveBits, weaveRuns, weaveStrings } from "./shuffle";
export { orcBooleans, orcBytes } from "./orc-bytes";
export { orcIntegers } from "./orc-runs";
export { lengthsToOffsets, narrowFrom64, orcDecimals, orcTimestamps, orcZoneShift } from "./orc-values";
export {
  dictionary4,
  dictionary8,
  dictionaryBytes,
  dictionaryRehash4,
  dictionaryRehash8,
  dictionaryRehashBytes,
} from "./parquet-write-dictionary";
export { countLevels, encodeIndices, encodeLevels } from "./parquet-write-hybrid";
export { encodePlainStrings } from "./parquet-write-strings";
export { orcWriteIntegers } from "./orc-write";
