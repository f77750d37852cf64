// Avro datums straight into column buffers: an interpreter of programs that the reader compiles from the writer's schema,
// the reader's schema and the selected columns. A call appends all of its rows or, on any fault, none: the columns' states
// are copied before and put back. So growing a column in the middle of a row is "give up, grow, read those rows again".
//
// A program is made of nodes of 32-bit words: what to do, a column's state (or 0), then what the case below says.
import * as cursor from "./avro-cursor";
import { decimal, duration, promote, uuid } from "./avro-values";
import { setPosition } from "./status";
import { isUtf8 } from "./utf8";

// What a node does. Keep in step with `avroOps` in src/api/avro.ts.
const NOTHING: u32 = 0;
const SKIP_LONG: u32 = 1;
const SKIP_FIXED: u32 = 2;
const SKIP_BYTES: u32 = 3;
const SKIP_BLOCKS: u32 = 4;
const RECURSE: u32 = 5;
const RECORD: u32 = 6;
const UNION: u32 = 7;
const BRANCH: u32 = 8;
const DEFAULT: u32 = 9;
const UNRESOLVED: u32 = 10;
const BOOLEAN: u32 = 11;
const INT: u32 = 12;
const LONG: u32 = 13;
const PROMOTE: u32 = 14;
const RAW4: u32 = 15;
const RAW8: u32 = 16;
const RAW: u32 = 17;
const BYTES: u32 = 18;
const DECIMAL: u32 = 19;
const UUID: u32 = 20;
const DURATION: u32 = 21;
const ENUM_INDEX: u32 = 22;
const ENUM_TEXT: u32 = 23;
const NULL: u32 = 24;
const LIST: u32 = 25;
const NULL_FIXED: u32 = 26;
const NULL_BOOLEAN: u32 = 27;
const NULL_OFFSET: u32 = 28;
const NULL_RECORD: u32 = 29;
const TEXT: u32 = 30;

// A column's state.
const S_DATA: usize = 0;
const S_USED: usize = 4; // bytes of data, or items of a list
const S_ROOM: usize = 8; // bytes of data there is room for
const S_OFFSETS: usize = 12; // int32; a union's have no first 0
const S_VALIDITY: usize = 16; // bits, or 0 when the column has no nulls by its type
const S_LENGTH: usize = 20;
const S_NULLS: usize = 24;
const S_CAPACITY: usize = 28; // values there is room for
const S_WIDTH: usize = 32; // bytes a value

// The context.
const C_STATES: usize = 0;
const C_STATES_BYTES: usize = 4;
const C_SNAPSHOT: usize = 8;
const C_FREE: usize = 12; // items so far that took no bytes
const C_FREE_LIMIT: usize = 16;
const C_FAULT: usize = 20;
const C_NODE: usize = 24;
const C_ROW: usize = 28; // rows before the fault
const C_VALUE: usize = 32; // int64
const C_GROW: usize = 40; // the state that wants room
const C_DEPTH: u32 = 1000; // values nested deeper in a recursive type would end the stack

let context: usize = 0;
let depth: u32 = 0;
let checksText: bool = false;

/** A column wants room: for more values (0) or for so many bytes of data. */
function grow(node: usize, state: usize, bytes: i64): bool {
  store<u32>(context, <u32>state, C_GROW);
  return cursor.refuse(cursor.GROW, node, bytes);
}

/** The bit of value `n` in its byte. */
// @ts-ignore: decorator
@inline
function bitOf(n: u32): u8 {
  return <u8>(<u32>1 << (n & 7));
}

/** Counts a value, valid. */
// @ts-ignore: decorator
@inline
function valid(state: usize, n: u32): void {
  const bits = <usize>load<u32>(state, S_VALIDITY);
  if (bits) {
    const p = bits + (n >> 3);
    store<u8>(p, load<u8>(p) | bitOf(n));
  }
  store<u32>(state, n + 1, S_LENGTH);
}

/** Counts a null. */
// @ts-ignore: decorator
@inline
function missing(state: usize, n: u32): void {
  const p = <usize>load<u32>(state, S_VALIDITY) + (n >> 3);
  store<u8>(p, load<u8>(p) & ~bitOf(n));
  store<u32>(state, n + 1, S_LENGTH);
  store<u32>(state, load<u32>(state, S_NULLS) + 1, S_NULLS);
}

// @ts-ignore: decorator
@inline
function isFull(state: usize, n: u32): bool {
  return n == load<u32>(state, S_CAPACITY);
}

/** Appends `size` bytes from `from` as a value. */
// @ts-ignore: decorator
@inline
function appendBytes(node: usize, state: usize, from: usize, size: u32): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const used = load<u32>(state, S_USED);
  const wanted = <u64>used + <u64>size;
  if (wanted > <u64>load<u32>(state, S_ROOM)) return grow(node, state, <i64>wanted);
  const to = <usize>load<u32>(state, S_DATA) + used;
  if (size <= 32) {
    // Both sides have SLACK.
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
  } else memory.copy(to, from, size);
  store<u32>(state, <u32>wanted, S_USED);
  store<u32>(<usize>load<u32>(state, S_OFFSETS) + (<usize>n << 2), <u32>wanted, 4);
  valid(state, n);
  return true;
}

/** Whether `count` items of at least `least` bytes can follow. */
function claim(node: usize, count: u64, least: u32): bool {
  if (least != 0) return count > cursor.left() / least ? cursor.refuse(cursor.ITEMS, node, <i64>count) : true;
  const free = <u64>load<u32>(context, C_FREE) + count;
  if (count > 0xffffffff || free > <u64>load<u32>(context, C_FREE_LIMIT)) {
    return cursor.refuse(cursor.FREE_ITEMS, node, <i64>(count > 0xffffffff ? count : free));
  }
  store<u32>(context, <u32>free, C_FREE);
  return true;
}

/** The blocks of an array or a map; a skipped block that says its size is passed at once. Answers the items, or −1. */
function blocks(node: usize, child: usize, least: u32, skip: bool): i64 {
  let total: u64 = 0;
  if (!cursor.long(node)) return -1;
  for (let count = cursor.value(); count != 0; count = cursor.value()) {
    if (count < 0) {
      count = -count;
      if (!cursor.length(node)) return -1;
      if (skip) {
        cursor.take(node, <u32>cursor.value());
        count = 0;
      }
    }
    if (count != 0 && !claim(node, <u64>count, least)) return -1;
    for (let i: i64 = 0; i < count; i++) if (!run(child)) return -1;
    total += <u64>count;
    if (!cursor.long(node)) return -1;
  }
  return <i64>total;
}

/** An array or a map. */
function list(node: usize, state: usize): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const items = blocks(node, <usize>load<u32>(node, 12), load<u32>(node, 8), false);
  if (items < 0) return false;
  const used = <u64>load<u32>(state, S_USED) + <u64>items;
  if (used > 0x7fffffff) return cursor.refuse(cursor.TOO_MANY, node, <i64>used);
  store<u32>(state, <u32>used, S_USED);
  store<u32>(<usize>load<u32>(state, S_OFFSETS) + (<usize>n << 2), <u32>used, 4);
  valid(state, n);
  return true;
}

/** The writer's union: which branch comes, then the branch. */
// @ts-ignore: decorator
@inline
function union(node: usize): bool {
  if (!cursor.long(node)) return false;
  const branch = cursor.value();
  if (<u64>branch >= <u64>load<u32>(node, 8)) return cursor.refuse(cursor.BRANCH, node, branch);
  return run(<usize>load<u32>(node + (<usize>branch << 2), 12));
}

/** A value of one branch of the reader's union. */
function branch(node: usize, state: usize): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const place = load<u32>(<usize>load<u32>(node, 12), S_LENGTH);
  if (!run(<usize>load<u32>(node, 16))) return false;
  store<u8>(<usize>load<u32>(state, S_DATA) + n, <u8>load<u32>(node, 8));
  store<u32>(<usize>load<u32>(state, S_OFFSETS) + (<usize>n << 2), place);
  store<u32>(state, n + 1, S_LENGTH);
  return true;
}

/** What the reader's schema says for a field that the writer's has not: read from bytes of the program. */
function defaultValue(node: usize): bool {
  const at = cursor.at();
  const end = cursor.end();
  const bytes = <usize>load<u32>(node, 12);
  cursor.place(bytes, bytes + load<u32>(node, 16));
  if (!run(<usize>load<u32>(node, 8))) return false;
  cursor.place(at, end);
  return true;
}

function enumSymbol(node: usize, state: usize, isText: bool): bool {
  if (!cursor.int(node)) return false;
  const symbol = cursor.value();
  if (<u64>symbol >= <u64>load<u32>(node, 8)) return cursor.refuse(cursor.SYMBOL, node, symbol);
  if (isText) {
    const entry = <usize>load<u32>(node, 12) + (<usize>symbol << 3);
    const size = load<i32>(entry, 4);
    if (size < 0) return cursor.refuse(cursor.NO_SYMBOL, node, symbol);
    return appendBytes(node, state, <usize>load<u32>(entry), <u32>size);
  }
  const index = load<i32>(<usize>load<u32>(node, 12) + (<usize>symbol << 2));
  if (index < 0) return cursor.refuse(cursor.NO_SYMBOL, node, symbol);
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  store<i32>(<usize>load<u32>(state, S_DATA) + (<usize>n << 2), index);
  valid(state, n);
  return true;
}

function boolean(node: usize, state: usize): bool {
  const p = cursor.at();
  if (!cursor.take(node, 1)) return false;
  const bit = load<u8>(p);
  if (bit > 1) return cursor.refuse(cursor.BOOLEAN, node, bit);
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const to = <usize>load<u32>(state, S_DATA) + (n >> 3);
  store<u8>(to, (load<u8>(to) & ~bitOf(n)) | (bit ? bitOf(n) : 0));
  valid(state, n);
  return true;
}

/** A null where a value could be. */
function nullValue(node: usize, state: usize, op: u32): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  if (op == NULL_FIXED) {
    const width = load<u32>(state, S_WIDTH);
    memory.fill(<usize>load<u32>(state, S_DATA) + <usize>n * width, 0, width);
  } else if (op == NULL_BOOLEAN) {
    const to = <usize>load<u32>(state, S_DATA) + (n >> 3);
    store<u8>(to, load<u8>(to) & ~bitOf(n));
  } else if (op == NULL_OFFSET) {
    store<u32>(<usize>load<u32>(state, S_OFFSETS) + (<usize>n << 2), load<u32>(state, S_USED), 4);
  } else {
    const count = load<u32>(node, 8);
    for (let i: u32 = 0; i < count; i++) if (!run(<usize>load<u32>(node + (<usize>i << 2), 12))) return false;
  }
  missing(state, n);
  return true;
}

/** Values of one width in Arrow that are not copied as they are. */
function converted(node: usize, state: usize, op: u32): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const width = load<u32>(state, S_WIDTH);
  const out = <usize>load<u32>(state, S_DATA) + <usize>n * width;
  let done: bool;
  if (op == PROMOTE) done = promote(node, load<u32>(node, 8), load<u32>(node, 12), out);
  else if (op == DECIMAL) done = decimal(node, load<i32>(node, 8), width, out);
  else if (op == UUID) done = uuid(node, out);
  else done = duration(node, out);
  if (done) valid(state, n);
  return done;
}

function raw(node: usize, state: usize): bool {
  const n = load<u32>(state, S_LENGTH);
  if (isFull(state, n)) return grow(node, state, 0);
  const width = load<u32>(state, S_WIDTH);
  const p = cursor.at();
  if (!cursor.take(node, width)) return false;
  memory.copy(<usize>load<u32>(state, S_DATA) + <usize>n * width, p, width);
  valid(state, n);
  return true;
}

/** A value of the recursive type whose definition is the node's child, passed. */
function again(node: usize): bool {
  if (++depth > C_DEPTH) return cursor.refuse(cursor.DEPTH, node, C_DEPTH);
  const done = run(<usize>load<u32>(node, 8));
  depth--;
  return done;
}

/** Does what the node at `node` says with the bytes at the cursor. */
export function run(node: usize): bool {
  const state = <usize>load<u32>(node, 4);
  const op = load<u32>(node);
  switch (op) {
    case NOTHING:
      return true;
    case SKIP_LONG:
      return cursor.long(node);
    case SKIP_FIXED:
      return cursor.take(node, load<u32>(node, 8));
    case SKIP_BYTES:
      return cursor.length(node) && cursor.take(node, <u32>cursor.value());
    case SKIP_BLOCKS:
      return blocks(node, <usize>load<u32>(node, 12), load<u32>(node, 8), true) >= 0;
    case RECURSE:
      return again(node);
    case RECORD: {
      const count = load<u32>(node, 8);
      for (let i: u32 = 0; i < count; i++) if (!run(<usize>load<u32>(node + (<usize>i << 2), 12))) return false;
      if (state) {
        const n = load<u32>(state, S_LENGTH);
        if (isFull(state, n)) return grow(node, state, 0);
        valid(state, n);
      }
      return true;
    }
    case UNION:
      return union(node);
    case BRANCH:
      return branch(node, state);
    case DEFAULT:
      return defaultValue(node);
    case UNRESOLVED:
      return cursor.refuse(cursor.NO_BRANCH, node, 0);
    case BOOLEAN:
      return boolean(node, state);
    case INT: {
      const n = load<u32>(state, S_LENGTH);
      if (isFull(state, n)) return grow(node, state, 0);
      if (!cursor.int(node)) return false;
      store<i32>(<usize>load<u32>(state, S_DATA) + (<usize>n << 2), <i32>cursor.value());
      valid(state, n);
      return true;
    }
    case LONG: {
      const n = load<u32>(state, S_LENGTH);
      if (isFull(state, n)) return grow(node, state, 0);
      if (!cursor.long(node)) return false;
      store<i64>(<usize>load<u32>(state, S_DATA) + (<usize>n << 3), cursor.value());
      valid(state, n);
      return true;
    }
    case RAW4: {
      const n = load<u32>(state, S_LENGTH);
      if (isFull(state, n)) return grow(node, state, 0);
      const p = cursor.at();
      if (!cursor.take(node, 4)) return false;
      store<u32>(<usize>load<u32>(state, S_DATA) + (<usize>n << 2), load<u32>(p));
      valid(state, n);
      return true;
    }
    case RAW8: {
      const n = load<u32>(state, S_LENGTH);
      if (isFull(state, n)) return grow(node, state, 0);
      const p = cursor.at();
      if (!cursor.take(node, 8)) return false;
      store<u64>(<usize>load<u32>(state, S_DATA) + (<usize>n << 3), load<u64>(p));
      valid(state, n);
      return true;
    }
    case RAW:
      return raw(node, state);
    case BYTES: {
      if (!cursor.length(node)) return false;
      const from = cursor.at();
      const size = <u32>cursor.value();
      cursor.take(node, size);
      return appendBytes(node, state, from, size);
    }
    case TEXT: {
      if (!cursor.length(node)) return false;
      const from = cursor.at();
      const size = <u32>cursor.value();
      cursor.take(node, size);
      if (checksText && !isUtf8(from, size)) return cursor.refuse(cursor.NOT_TEXT, node, <i64>size);
      return appendBytes(node, state, from, size);
    }
    case PROMOTE:
    case DECIMAL:
    case UUID:
    case DURATION:
      return converted(node, state, op);
    case ENUM_INDEX:
      return enumSymbol(node, state, false);
    case ENUM_TEXT:
      return enumSymbol(node, state, true);
    case NULL:
      store<u32>(state, load<u32>(state, S_LENGTH) + 1, S_LENGTH);
      return true;
    case LIST:
      return list(node, state);
    default:
      return nullValue(node, state, op);
  }
}

/** Starts a call: what is appended from here on is kept or given up as a whole. */
export function begin(ctx: usize, checkText: bool): void {
  context = ctx;
  depth = 0;
  checksText = checkText;
  const size = <usize>load<u32>(ctx, C_STATES_BYTES);
  memory.copy(<usize>load<u32>(ctx, C_SNAPSHOT), <usize>load<u32>(ctx, C_STATES), size);
}

/** Gives up what was appended since `begin` and leaves in the context what was wrong behind `done` rows. Answers −1. */
export function giveUp(ctx: usize, done: u32): i32 {
  const size = <usize>load<u32>(ctx, C_STATES_BYTES);
  memory.copy(<usize>load<u32>(ctx, C_STATES), <usize>load<u32>(ctx, C_SNAPSHOT), size);
  store<i32>(ctx, cursor.faultCode(), C_FAULT);
  store<u32>(ctx, <u32>cursor.faultAt(), C_NODE);
  store<i64>(ctx, cursor.faultNumber(), C_VALUE);
  store<u32>(ctx, done, C_ROW);
  return -1;
}

/**
 * Reads up to `rows` datums (at least one) of [start, stop) and stops behind the one that brings the bytes read to
 * `maxBytes`. Answers how many were read, `position()` says how far; −1 when nothing was appended, see the context.
 */
export function avroRows(ctx: usize, program: usize, start: usize, stop: usize, rows: u32, maxBytes: u32): i32 {
  begin(ctx, false);
  const free = load<u32>(ctx, C_FREE);
  cursor.place(start, stop);
  let done: u32 = 0;
  do {
    if (!run(program)) {
      store<u32>(ctx, free, C_FREE);
      setPosition(cursor.at() - start);
      return giveUp(ctx, done);
    }
    done++;
  } while (done < rows && cursor.at() - start < <usize>maxBytes);
  setPosition(cursor.at() - start);
  return done;
}

/**
 * Reads `count` datums, each alone in the bytes between two `offsets` behind `data`, `skip` bytes passed, and filling
 * them; strings must be UTF-8; those whose bit `first + i` of `validity` is not set are null (`nullProgram`). The allowance of items without
 * bytes is each datum's own. Answers `count`; −1 when nothing was appended, see the context: then `position()` is a place
 * inside the bytes of the datum at fault.
 */
export function avroDatums(
  ctx: usize,
  program: usize,
  nullProgram: usize,
  data: usize,
  offsets: usize,
  validity: usize,
  first: u32,
  count: u32,
  skip: u32,
): i32 {
  begin(ctx, true);
  for (let i: u32 = 0; i < count; i++) {
    const n = first + i;
    if (!(load<u8>(validity + (n >> 3)) & bitOf(n))) {
      cursor.place(data, data);
      if (!run(nullProgram)) return giveUp(ctx, i);
      continue;
    }
    const start = data + load<u32>(offsets + (<usize>n << 2));
    const stop = data + load<u32>(offsets + (<usize>n << 2), 4);
    store<u32>(ctx, 0, C_FREE);
    cursor.place(start, stop);
    let done = cursor.take(program, skip) && run(program);
    if (done && cursor.at() != stop) done = cursor.refuse(cursor.TRAILING, program, <i64>cursor.left());
    if (!done) {
      setPosition(cursor.at() - start);
      return giveUp(ctx, i);
    }
  }
  return count;
}
