import type { DataType, Key } from "@ingest-ts/core";
import { doubleText, singleText } from "./float-text.ts";
import { dateText, durationText, timestampText, timeText } from "./time-text.ts";
import { decimalText } from "./wide-integers.ts";

/** A bound of a column as `cat` prints its values. */
export function keyText(key: Key, type: DataType): string {
  if (key instanceof Uint8Array) {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    return type.kind === "utf8" || type.kind === "largeUtf8" ? bytes.toString("utf8") : bytes.toString("base64");
  }
  switch (type.kind) {
    case "dictionary":
      return keyText(key, type.value);
    case "bool":
      return Number(key) === 1 ? "true" : "false";
    case "float":
      return type.bits === 32 ? singleText(Number(key)) : doubleText(Number(key));
    case "date":
      return type.unit === "day" ? dateText(Number(key)) : timestampText(key, "ms", false);
    case "time":
      return timeText(key, type.unit);
    case "timestamp":
      return timestampText(key, type.unit, type.timezone !== null);
    case "duration":
      return durationText(key, type.unit);
    case "decimal":
      return decimalText(key, type.scale);
    default:
      return String(key);
  }
}
