// The checksum of a table, as checksum.py has it: {rows, valid, sum}. `valid` counts the values that are not null, at
// the leaves. `sum` adds, over columns numbered from 1, the number times the column's values: numbers as they are
// (decimals in their unit, dates in days, timestamps in their unit), text and bytes as 256 times the length plus the
// last byte.

/** Adds values one by one: for engines that return values, not buffers. */
export class Checksum {
  rows = 0;
  valid = 0;
  sum = 0;

  add(column, value) {
    if (value === null || value === undefined) return;
    if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array))) {
      for (let i = 0; i < value.length; i++) this.add(column, value[i]);
      return;
    }
    this.valid++;
    this.sum += (column + 1) * weigh(value);
  }
}

function weigh(value) {
  switch (typeof value) {
    case "number":
      return value;
    case "bigint":
      return Number(value);
    case "string": {
      const bytes = Buffer.byteLength(value);
      return 256 * bytes + (bytes === 0 ? 0 : value.charCodeAt(value.length - 1));
    }
    default:
      if (value instanceof Uint8Array) return 256 * value.length + (value.at(-1) ?? 0);
      if (value instanceof Date) return value.getTime();
      throw new Error(`no checksum for ${Object.prototype.toString.call(value)}`);
  }
}

/** The checksum of apache-arrow record batches. */
export function checksumOfBatches(batches) {
  const total = new Checksum();
  for (const batch of batches) {
    total.rows += batch.numRows;
    batch.data.children.forEach((data, i) => {
      const { valid, sum } = ofData(data, data.offset ?? 0, data.length);
      total.valid += valid;
      total.sum += (i + 1) * sum;
    });
  }
  return total;
}

function ofData(data, offset, length) {
  const bits = data.nullCount > 0 ? data.nullBitmap : undefined;
  const isValid = (i) => bits === undefined || ((bits[(offset + i) >> 3] >> ((offset + i) & 7)) & 1) === 1;
  if (data.children.length === 1) return ofLists(data, offset, length, isValid);
  let valid = 0;
  let sum = 0;
  const { values, valueOffsets } = data;
  const isText = valueOffsets !== undefined && valueOffsets !== null && valueOffsets.length > 0;
  // apache-arrow keeps a decimal as four 32-bit words, and 64-bit values as one word each.
  const words =
    data.type.bitWidth === 128 ? new BigInt64Array(values.buffer, values.byteOffset, length * 2) : undefined;
  const unit = words === undefined ? 1 : 10 ** -data.type.scale;
  for (let i = 0; i < length; i++) {
    if (!isValid(i)) continue;
    valid++;
    if (isText) {
      const from = Number(valueOffsets[i]);
      const to = Number(valueOffsets[i + 1]);
      sum += 256 * (to - from) + (to > from ? values[to - 1] : 0);
    } else sum += words === undefined ? Number(values[i]) : Number(words[2 * i]) * unit;
  }
  return { valid, sum };
}

function ofLists(data, offset, length, isValid) {
  const [items] = data.children;
  const size = data.type.listSize;
  let valid = 0;
  let sum = 0;
  // Runs of lists lie next to each other: one call for all of them.
  for (let i = 0; i < length; ) {
    if (!isValid(i)) {
      i++;
      continue;
    }
    let end = i;
    while (end < length && isValid(end)) end++;
    const at = (k) => (size === undefined ? Number(data.valueOffsets[k]) : (offset + k) * size);
    const part = items.slice(at(i), at(end) - at(i));
    const found = ofData(part, part.offset, part.length);
    valid += found.valid;
    sum += found.sum;
    i = end;
  }
  return { valid, sum };
}
