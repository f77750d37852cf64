import {
  addWhere,
  type ByteSource,
  checkLimit,
  FormatError,
  type Limits,
  type ReadOptions,
  type Select,
  UnsupportedError,
} from "@ingest-ts/core";
import { prepareCodecs } from "@ingest-ts/kernels/codecs";
import { codecs, readChunks } from "./chunks.ts";
import { readFooter, readPostscript } from "./footer.ts";
import { type Footer, MAGIC, type Postscript } from "./spec.ts";

/** What a file says of itself; plain data. */
export interface OrcMetadata {
  readonly url: string;
  readonly sizeBytes: number;
  readonly postscript: Postscript;
  readonly footer: Footer;
  /** Message `Metadata`: statistics of the stripes (statistics.ts). Empty when there are none that can be read. */
  readonly stripeStatistics: Uint8Array;
}

/** Holds the tail of nearly every file, so that one request is enough. */
const SUFFIX_BYTES = 256 * 1024;

/**
 * Reads the tail: one request, or a second one when footer and statistics are larger than `SUFFIX_BYTES`.
 *
 * @throws FormatError when it is not an ORC file or its footer contradicts itself
 * @throws UnsupportedError for encrypted files and footers over limits.footerBytes
 * @see ORC specification v1, "File Tail"
 */
export async function readMetadata(
  source: ByteSource,
  select: Select,
  options: ReadOptions = {},
): Promise<OrcMetadata> {
  try {
    return await read(source, select.limits, options);
  } catch (error) {
    throw addWhere(error, { url: source.url });
  }
}

async function read(source: ByteSource, limits: Limits, options: ReadOptions): Promise<OrcMetadata> {
  const [suffix] = await source.getRanges([{ suffixBytes: SUFFIX_BYTES }], options);
  const tail = suffix as Uint8Array;
  const { sizeBytes } = await source.stat(options);
  const postscriptBytes = tail[tail.length - 1];
  if (postscriptBytes === undefined || postscriptBytes + 1 > tail.length || tail.length <= MAGIC.length) {
    throw new FormatError(`a file of ${sizeBytes} bytes is too short for ORC`, { remedy: "It is cut, or not ORC." });
  }
  const postscriptAt = tail.length - 1 - postscriptBytes;
  const { hasMagic, ...postscript } = readPostscript(tail.subarray(postscriptAt, tail.length - 1));
  if (!hasMagic) await checkHead(source, options);
  const { footerBytes, metadataBytes } = postscript;
  checkLimit(limits, "footerBytes", footerBytes, "a footer");
  const end = sizeBytes - 1 - postscriptBytes;
  const start = end - footerBytes;
  if (start - metadataBytes < 0) {
    throw new FormatError(`a footer of ${footerBytes} bytes does not fit a file of ${sizeBytes}`, {
      where: { offset: end },
    });
  }
  // Both lie together; statistics are only wanted when they are small.
  const statisticsBytes = metadataBytes <= limits.footerBytes ? metadataBytes : 0;
  const wanted = footerBytes + statisticsBytes;
  let bytes = tail.subarray(Math.max(0, postscriptAt - wanted), postscriptAt);
  if (bytes.length < wanted)
    [bytes] = (await source.getRanges([{ start: end - wanted, end }], options)) as [Uint8Array];
  const codec = codecs[postscript.compression];
  if (codec !== undefined) await prepareCodecs([codec], "read");
  const packed = bytes.subarray(statisticsBytes);
  const footer = checkedFooter(readFooter(readChunks(packed, postscript, limits, start)), start - metadataBytes);
  const stripeStatistics = unpackStatistics(bytes.subarray(0, statisticsBytes), postscript, limits);
  return { url: source.url, sizeBytes, postscript, footer, stripeStatistics };
}

/** Statistics that do not decompress are none: they only save work. */
function unpackStatistics(bytes: Uint8Array, postscript: Postscript, limits: Limits): Uint8Array {
  try {
    return readChunks(bytes, postscript, limits, 0);
  } catch (error) {
    if (error instanceof FormatError) return new Uint8Array(0);
    throw error;
  }
}

/** The first writers put the magic at the head of the file only. @throws FormatError when it is not there either. */
async function checkHead(source: ByteSource, options: ReadOptions): Promise<void> {
  const [head] = (await source.getRanges([{ start: 0, end: MAGIC.length }], options)) as [Uint8Array];
  if (String.fromCharCode(...head) === MAGIC) return;
  throw new FormatError(`neither head nor postscript says "${MAGIC}"`, { remedy: "The file is not ORC, or cut." });
}

function checkedFooter(footer: Footer, dataEnd: number): Footer {
  if (footer.encrypted) {
    throw new UnsupportedError("the file has encrypted columns, encryption is not supported", {
      remedy: "Decrypt the file with the tool that wrote it.",
    });
  }
  let rows = 0;
  for (const stripe of footer.stripes) {
    rows += stripe.rows;
    const end = stripe.offset + stripe.indexBytes + stripe.dataBytes + stripe.footerBytes;
    if (end > dataEnd) {
      throw new FormatError(`a stripe ends at byte ${end}, the data at ${dataEnd}`, {
        where: { offset: stripe.offset },
      });
    }
  }
  // Old writers left the count out.
  if (footer.rows !== 0 && footer.rows !== rows) {
    throw new FormatError(`the footer counts ${footer.rows} rows, the stripes ${rows}`);
  }
  return footer;
}
