import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Blocks of an object are so long; the last one is shorter. */
export const BLOCK_BYTES: number = 1024 * 1024;

const MAGIC = Buffer.from("INGBLK\x01\n", "latin1");
/** Magic, length of the label, length of the data, CRC-32 of the data, CRC-32 of all that precedes it and the label. */
const HEADER_BYTES = 24;

/** The file name of what `label` names. */
export function fileNameOf(label: string): string {
  return `${createHash("sha256").update(label).digest("hex")}.blk`;
}

/** Whether the cache gives its files names like this one. */
export function isBlockName(name: string): boolean {
  return /^[0-9a-f]{64}\.blk$/.test(name);
}

/** How long a file is that holds `data` under `label`. */
export function blockFileBytes(label: string, data: Uint8Array): number {
  return HEADER_BYTES + Buffer.byteLength(label, "utf8") + data.length;
}

/** The head of a file that holds `data` under `label`. Label and data follow it. */
export function encodeBlock(label: string, data: Uint8Array): Buffer {
  const name = Buffer.from(label, "utf8");
  const file = Buffer.allocUnsafeSlow(blockFileBytes(label, data));
  MAGIC.copy(file);
  file.writeUInt32LE(name.length, 8);
  file.writeUInt32LE(data.length, 12);
  file.writeUInt32LE(crc32(data), 16);
  name.copy(file, HEADER_BYTES);
  file.writeUInt32LE(crc32(name, crc32(file.subarray(0, 20))), 20);
  file.set(data, HEADER_BYTES + name.length);
  return file;
}

/** The data in `file`; undefined unless it is whole, unchanged, and stored under `label`. */
export function decodeBlock(file: Buffer, label: string): Uint8Array | undefined {
  if (file.length < HEADER_BYTES || !file.subarray(0, 8).equals(MAGIC)) return undefined;
  const nameBytes = file.readUInt32LE(8);
  const dataBytes = file.readUInt32LE(12);
  if (file.length !== HEADER_BYTES + nameBytes + dataBytes) return undefined;
  const name = file.subarray(HEADER_BYTES, HEADER_BYTES + nameBytes);
  const data = file.subarray(HEADER_BYTES + nameBytes);
  if (crc32(name, crc32(file.subarray(0, 20))) !== file.readUInt32LE(20)) return undefined;
  if (name.toString("utf8") !== label || crc32(data) !== file.readUInt32LE(16)) return undefined;
  return data;
}
