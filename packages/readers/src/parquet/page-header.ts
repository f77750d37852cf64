import type { DataPageHeader, DataPageHeaderV2, DictionaryPageHeader, PageHeader } from "./spec.ts";
import { CompactReader, ThriftType } from "./thrift.ts";

const { I32, STRUCT } = ThriftType;

/** Parses `struct PageHeader` (Thrift) at the start of `bytes`. @throws FormatError with the offset of the fault. */
export function readPageHeader(bytes: Uint8Array, baseOffset: number): { header: PageHeader; headerBytes: number } {
  const reader = new CompactReader(bytes, baseOffset);
  let type: number | undefined;
  let uncompressedSize: number | undefined;
  let compressedSize: number | undefined;
  let crc: number | undefined;
  let data: DataPageHeader | undefined;
  let dataV2: DataPageHeaderV2 | undefined;
  let dictionary: DictionaryPageHeader | undefined;
  reader.struct(STRUCT, "PageHeader", (id, inner) => {
    switch (id) {
      case 1:
        type = reader.i32(inner, "page type");
        break;
      case 2:
        uncompressedSize = reader.count(inner, I32, "uncompressed_page_size");
        break;
      case 3:
        compressedSize = reader.count(inner, I32, "compressed_page_size");
        break;
      case 4:
        crc = reader.i32(inner, "crc") >>> 0;
        break;
      case 5:
        data = readDataPageHeader(reader, inner);
        break;
      case 7:
        dictionary = readDictionaryPageHeader(reader, inner);
        break;
      case 8:
        dataV2 = readDataPageHeaderV2(reader, inner);
        break;
      default:
        reader.skip(inner);
    }
  });
  if (type === undefined || uncompressedSize === undefined || compressedSize === undefined)
    throw reader.fail("a page header without type or sizes");
  const header = { type, uncompressedSize, compressedSize, crc, data, dataV2, dictionary };
  return { header, headerBytes: reader.position };
}

function readDataPageHeader(reader: CompactReader, structType: number): DataPageHeader {
  const numbers = [0, 0, 0, 0, 0];
  reader.struct(structType, "DataPageHeader", (id, type) => {
    if (id === 1) numbers[1] = reader.count(type, I32, "num_values of a page");
    else if (id >= 2 && id <= 4) numbers[id] = reader.i32(type, "encoding");
    else reader.skip(type);
  });
  const [, numValues, encoding, definitionLevelEncoding, repetitionLevelEncoding] = numbers as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { numValues, encoding, definitionLevelEncoding, repetitionLevelEncoding };
}

function readDictionaryPageHeader(reader: CompactReader, structType: number): DictionaryPageHeader {
  let numValues = 0;
  let encoding = 0;
  reader.struct(structType, "DictionaryPageHeader", (id, type) => {
    if (id === 1) numValues = reader.count(type, I32, "num_values of a dictionary");
    else if (id === 2) encoding = reader.i32(type, "encoding");
    else reader.skip(type);
  });
  return { numValues, encoding };
}

function readDataPageHeaderV2(reader: CompactReader, structType: number): DataPageHeaderV2 {
  const names = [
    "",
    "num_values",
    "num_nulls",
    "num_rows",
    "encoding",
    "definition_levels_byte_length",
    "repetition_levels_byte_length",
  ];
  const numbers: number[] = [0, 0, 0, 0, 0, 0, 0];
  let isCompressed = true;
  reader.struct(structType, "DataPageHeaderV2", (id, type) => {
    if (id >= 1 && id <= 6) numbers[id] = reader.count(type, I32, `${names[id]} of a page`);
    else if (id === 7) isCompressed = reader.bool(type, "is_compressed");
    else reader.skip(type);
  });
  return {
    numValues: numbers[1] as number,
    numNulls: numbers[2] as number,
    numRows: numbers[3] as number,
    encoding: numbers[4] as number,
    definitionLevelsByteLength: numbers[5] as number,
    repetitionLevelsByteLength: numbers[6] as number,
    isCompressed,
  };
}
