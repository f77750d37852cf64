import { type ByteSource, FormatError, type FormatName, type ReadOptions } from "@ingest-ts/core";

const HEAD_BYTES = 512;
const TAIL_BYTES = 8;

const extensions: readonly (readonly [RegExp, FormatName])[] = [
  [/\.(parquet|parq|pq)$/i, "parquet"],
  [/\.orc$/i, "orc"],
  [/\.avro$/i, "avro"],
  [/\.(tfrecords?|tfrec)(\.(gz|gzip|zlib|z))?$/i, "tfrecord"],
  [/\.(arrow|arrows|feather|ipc)$/i, "arrow"],
];

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  if (at < 0 || at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** CRC-32C of a few bytes, bit by bit: detection has no need of a kernel. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

function uint32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

/** Whether a TFRecord starts here: the masked CRC-32C of the 8 bytes of its length follows them. */
function startsRecord(bytes: Uint8Array): boolean {
  if (bytes.length < 12) return false;
  const crc = crc32c(bytes.subarray(0, 8));
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  return masked === uint32At(bytes, 8);
}

/** The first bytes that `head` inflates to, when it is the beginning of a gzip or zlib stream. */
async function inflatedHead(head: Uint8Array): Promise<Uint8Array | undefined> {
  const gzip = head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
  const zlib = ((head[0] ?? 0) & 0x0f) === 8 && (((head[0] ?? 0) << 8) | (head[1] ?? 0)) % 31 === 0;
  if (!gzip && !zlib) return undefined;
  const stream = new DecompressionStream(gzip ? "gzip" : "deflate");
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  // The stream is cut, so closing it fails: only what comes out before counts.
  const fed = writer.write(head.slice()).then(() => writer.close());
  const done = fed.catch(() => {});
  try {
    const { value } = await reader.read();
    return value;
  } catch {
    return undefined;
  } finally {
    await reader.cancel().catch(() => {});
    await done;
  }
}

async function detectContent(head: Uint8Array, tail: Uint8Array): Promise<FormatName | undefined> {
  const end = tail.length;
  if (hasText(head, 0, "PAR1") || hasText(head, 0, "PARE")) return "parquet";
  if (hasText(head, 0, "Obj\x01")) return "avro";
  if (hasText(head, 0, "ARROW1")) return "arrow";
  if (hasText(head, 0, "ORC")) return "orc";
  if (hasText(tail, end - 4, "PAR1") || hasText(tail, end - 4, "PARE")) return "parquet";
  // The last byte of an ORC file is the length of the postscript, whose last field is the magic.
  if (hasText(tail, end - 4, "ORC")) return "orc";
  if (startsRecord(head)) return "tfrecord";
  // An Arrow stream: the continuation marker, then the length of the schema message.
  if (head.length >= 8 && uint32At(head, 0) === 0xffffffff && uint32At(head, 4) % 8 === 0) return "arrow";
  const inflated = await inflatedHead(head);
  return inflated !== undefined && startsRecord(inflated) ? "tfrecord" : undefined;
}

function extensionOf(url: string): FormatName | undefined {
  return extensions.find(([pattern]) => pattern.test(url))?.[1];
}

function firstBytes(head: Uint8Array): string {
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0"));
  return hex.join(" ");
}

/**
 * The format of an object: its magic bytes (or the checksum that a TFRecord begins with) decide; where they say
 * nothing, the extension does.
 *
 * @throws FormatError naming the first bytes when neither says anything.
 */
export async function detectFormat(source: ByteSource, options: ReadOptions = {}): Promise<FormatName> {
  const { sizeBytes } = await source.stat(options);
  const likely = extensionOf(source.url);
  const headRange = { start: 0, end: Math.min(HEAD_BYTES, sizeBytes) };
  // A remote object is opened by reading the end that its name speaks for: often that end tells alone.
  const tailFirst = likely === "parquet" || likely === "orc";
  const first = tailFirst ? { suffixBytes: TAIL_BYTES } : headRange;
  const [one = new Uint8Array(0)] = sizeBytes === 0 ? [] : await source.getRanges([first], options);
  const none = new Uint8Array(0);
  const seen = await detectContent(tailFirst ? none : one, tailFirst ? one : none);
  if (seen !== undefined && seen === likely) return seen;
  const [head = none, tail = none] =
    sizeBytes === 0 ? [] : await source.getRanges([headRange, { suffixBytes: TAIL_BYTES }], options);
  const format = (await detectContent(head, tail)) ?? likely;
  if (format !== undefined) return format;
  const looked = sizeBytes === 0 ? "the object is empty" : `its first bytes are ${firstBytes(head)}`;
  throw new FormatError(`the format is not recognised: ${looked}, and the name does not tell`, {
    where: { url: source.url },
    remedy: "Say which it is (--format parquet, orc, avro, tfrecord or arrow) if it is one of them.",
  });
}
