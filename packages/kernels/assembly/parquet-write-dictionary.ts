// The dictionary of a column chunk in writing: open addressing, linear probing, a slot holds index + 1 or 0. The caller
// owns all memory and keeps the table at most half full: it grows it when a kernel stops at `limit`.
import { LENGTH, fail, setPosition, setValid } from "./status";

// @ts-ignore: decorator
@inline
function mix32(value: u32): u32 {
  let hash = (value ^ (value >> 16)) * 0x7feb352d;
  hash = (hash ^ (hash >> 15)) * 0x846ca68b;
  return hash ^ (hash >> 16);
}

// @ts-ignore: decorator
@inline
function mix64(value: u64): u32 {
  const hash = (value ^ (value >> 32)) * 0x9e3779b97f4a7c15;
  return <u32>(hash >> 32) ^ <u32>(hash >> 15);
}

// @ts-ignore: decorator
@inline
function place(slots: usize, slot: u32, index: u32): void {
  store<u32>(slots + (<usize>slot << 2), index + 1);
}

/** The first free slot of a value that is not in the table. */
// @ts-ignore: decorator
@inline
function insert(slots: usize, mask: u32, hash: u32, index: u32): void {
  let slot = hash & mask;
  while (load<u32>(slots + (<usize>slot << 2)) != 0) slot = (slot + 1) & mask;
  place(slots, slot, index);
}

export function dictionary4(
  src: usize,
  count: u32,
  slots: usize,
  mask: u32,
  values: usize,
  used: u32,
  limit: u32,
  out: usize,
): u32 {
  let distinct = used;
  let i: u32 = 0;
  for (; i < count; i++) {
    const value = load<u32>(src + (<usize>i << 2));
    let slot = mix32(value) & mask;
    let found = load<u32>(slots + (<usize>slot << 2));
    while (found != 0 && load<u32>(values + (<usize>(found - 1) << 2)) != value) {
      slot = (slot + 1) & mask;
      found = load<u32>(slots + (<usize>slot << 2));
    }
    if (found == 0) {
      if (distinct == limit) break;
      store<u32>(values + (<usize>distinct << 2), value);
      place(slots, slot, distinct);
      found = ++distinct;
    }
    store<u32>(out + (<usize>i << 2), found - 1);
  }
  setValid(distinct);
  return i;
}

export function dictionary8(
  src: usize,
  count: u32,
  slots: usize,
  mask: u32,
  values: usize,
  used: u32,
  limit: u32,
  out: usize,
): u32 {
  let distinct = used;
  let i: u32 = 0;
  for (; i < count; i++) {
    const value = load<u64>(src + (<usize>i << 3));
    let slot = mix64(value) & mask;
    let found = load<u32>(slots + (<usize>slot << 2));
    while (found != 0 && load<u64>(values + (<usize>(found - 1) << 3)) != value) {
      slot = (slot + 1) & mask;
      found = load<u32>(slots + (<usize>slot << 2));
    }
    if (found == 0) {
      if (distinct == limit) break;
      store<u64>(values + (<usize>distinct << 3), value);
      place(slots, slot, distinct);
      found = ++distinct;
    }
    store<u32>(out + (<usize>i << 2), found - 1);
  }
  setValid(distinct);
  return i;
}

/** The last 1 to 7 bytes of a value; what lies behind it is read and masked away. */
// @ts-ignore: decorator
@inline
function tail(p: usize, bytes: u32): u64 {
  return load<u64>(p) & (<u64>-1 >> (64 - (<u64>bytes << 3)));
}

function hashBytes(p: usize, length: u32): u32 {
  let hash: u64 = <u64>length * 0xff51afd7ed558ccd;
  let at = p;
  let left = length;
  for (; left >= 8; left -= 8, at += 8) hash = rotl<u64>((hash ^ load<u64>(at)) * 0x9e3779b97f4a7c15, 29);
  if (left > 0) hash = (hash ^ tail(at, left)) * 0x9e3779b97f4a7c15;
  return mix64(hash);
}

function equalBytes(a: usize, b: usize, length: u32): bool {
  let left = length;
  let p = a;
  let q = b;
  for (; left >= 8; left -= 8, p += 8, q += 8) if (load<u64>(p) != load<u64>(q)) return false;
  return left == 0 || tail(p, left) == tail(q, left);
}

export function dictionaryBytes(
  data: usize,
  dataLength: u32,
  starts: usize,
  ends: usize,
  count: u32,
  slots: usize,
  mask: u32,
  hashes: usize,
  offsets: usize,
  bytes: usize,
  capacity: u32,
  used: u32,
  limit: u32,
  out: usize,
): i32 {
  let distinct = used;
  let end = load<u32>(offsets + (<usize>distinct << 2));
  let i: u32 = 0;
  for (; i < count; i++) {
    const from = load<u32>(starts + (<usize>i << 2));
    const to = load<u32>(ends + (<usize>i << 2));
    if (from > to || to > dataLength) return fail(LENGTH, i);
    const length = to - from;
    const value = data + from;
    const hash = hashBytes(value, length);
    let slot = hash & mask;
    let found = load<u32>(slots + (<usize>slot << 2));
    while (found != 0) {
      const known = <usize>(found - 1) << 2;
      if (load<u32>(hashes + known) == hash) {
        const at = load<u32>(offsets + known);
        if (load<u32>(offsets + known, 4) - at == length && equalBytes(bytes + at, value, length)) break;
      }
      slot = (slot + 1) & mask;
      found = load<u32>(slots + (<usize>slot << 2));
    }
    if (found == 0) {
      if (distinct == limit || length > capacity - end) break;
      memory.copy(bytes + end, value, length);
      end += length;
      store<u32>(hashes + (<usize>distinct << 2), hash);
      place(slots, slot, distinct);
      found = ++distinct;
      store<u32>(offsets + (<usize>distinct << 2), end);
    }
    store<u32>(out + (<usize>i << 2), found - 1);
  }
  setPosition(i);
  setValid(distinct);
  return <i32>i;
}

export function dictionaryRehash4(values: usize, count: u32, slots: usize, mask: u32): void {
  for (let i: u32 = 0; i < count; i++) insert(slots, mask, mix32(load<u32>(values + (<usize>i << 2))), i);
}

export function dictionaryRehash8(values: usize, count: u32, slots: usize, mask: u32): void {
  for (let i: u32 = 0; i < count; i++) insert(slots, mask, mix64(load<u64>(values + (<usize>i << 3))), i);
}

export function dictionaryRehashBytes(hashes: usize, count: u32, slots: usize, mask: u32): void {
  for (let i: u32 = 0; i < count; i++) insert(slots, mask, load<u32>(hashes + (<usize>i << 2)), i);
}
