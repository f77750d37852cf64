import { byteWidthOf, type Column, type DataType, FormatError, UnsupportedError } from "@ingest-ts/core";
import { avroState, checked, KernelError, type Kernels } from "@ingest-ts/kernels";
import { arrowType, joinPath, type Node } from "./tree.ts";

const { words: STATE_WORDS } = avroState;
/** Bytes of the state of one column in the arena. */
const STATE_BYTES: number = STATE_WORDS * 4;

/** No column of a slab is larger; what would be is hostile or wants smaller slabs. */
const MAX_BYTES = 1024 * 1024 * 1024;
const FIRST_VALUES = 16;
/** Wide values begin with fewer. */
const FIRST_VALUES_BYTES = 4096;
const FIRST_BYTES = 256;
/** Room ahead for rows like those before: a little more than they took, and at most so many bytes a buffer. */
const SPARE = 1.1;
const RESERVE_BYTES = 16 * 1024 * 1024;

type Layout = "null" | "boolean" | "fixed" | "bytes" | "list" | "struct" | "union";

function layoutOf({ kind }: DataType): Layout {
  switch (kind) {
    case "null":
    case "struct":
    case "union":
      return kind;
    case "bool":
      return "boolean";
    case "utf8":
    case "binary":
      return "bytes";
    case "list":
    case "map":
      return "list";
    default:
      return "fixed";
  }
}

/** What one row took in a state: values, and bytes of data. */
export interface RowShape {
  readonly values: number;
  readonly bytes: number;
}

/** A column or a part of one that kernels append to: its buffers lie in the arena, its state among the states. */
export class ColumnState {
  readonly node: Node | undefined;
  readonly path: string;
  readonly type: DataType;
  readonly layout: Layout;
  readonly width: number;
  readonly mayBeNull: boolean;
  readonly children: readonly ColumnState[];
  /** Symbols of an enum. */
  readonly dictionary: Column | null;
  /** Where its state lies; set when all columns are known. */
  address = 0;

  constructor(parts: Pick<ColumnState, "node" | "path" | "type" | "mayBeNull" | "children" | "dictionary">) {
    this.node = parts.node;
    this.path = parts.path;
    this.type = parts.type;
    this.layout = layoutOf(parts.type);
    this.width = this.layout === "fixed" ? byteWidthOf(parts.type) : 0;
    this.mayBeNull = parts.mayBeNull;
    this.children = parts.children;
    this.dictionary = parts.dictionary;
  }

  /** Itself and everything below it. */
  *all(): Generator<ColumnState> {
    yield this;
    for (const child of this.children) yield* child.all();
  }

  /** Bytes of the buffers that hold one more value, all parts with as many values as this one together. */
  get bytesPerValue(): number {
    const below = this.layout === "struct" ? this.children.reduce((sum, child) => sum + child.bytesPerValue, 0) : 0;
    return this.width + 4 + below;
  }
}

/** The symbols of an enum as a column. */
function symbolColumn(symbols: readonly string[]): Column {
  const encoded = symbols.map((symbol) => new TextEncoder().encode(symbol));
  const offsets = new Int32Array(symbols.length + 1);
  for (let i = 0; i < encoded.length; i++) offsets[i + 1] = (offsets[i] as number) + (encoded[i] as Uint8Array).length;
  const data = new Uint8Array(offsets[symbols.length] as number);
  for (let i = 0; i < encoded.length; i++) data.set(encoded[i] as Uint8Array, offsets[i]);
  const type: DataType = { kind: "utf8" };
  return { type, length: symbols.length, nullCount: 0, validity: null, offsets, data, children: [], dictionary: null };
}

/**
 * The parts that a node's values go to. A null of a struct, or of a union, is also one of its parts.
 *
 * @param isBelowNull whether it gets a null where what it is a part of is null
 */
export function columnOf(
  node: Node,
  dictionary: "decode" | "preserve",
  path: string = node.name,
  isBelowNull: boolean = false,
): ColumnState {
  const type = arrowType(node, dictionary);
  const mayBeNull = isBelowNull || node.nullBranch !== undefined;
  const below = (child: Node, i: number): ColumnState => {
    const inherits = mayBeNull && (type.kind === "struct" || (type.kind === "union" && i === 0));
    return columnOf(child, dictionary, joinPath(path, child.name), inherits);
  };
  let children = node.children.map(below);
  if (type.kind === "map") {
    const key = { node: undefined, path: joinPath(path, "key"), type: { kind: "utf8" } as const, children: [] };
    const entries = { node: undefined, path, type: type.child.type };
    const keys = new ColumnState({ ...key, mayBeNull: false, dictionary: null });
    children = [new ColumnState({ ...entries, mayBeNull: false, children: [keys, ...children], dictionary: null })];
  }
  const symbols = type.kind === "dictionary" && node.type.kind === "enum" ? symbolColumn(node.type.symbols) : null;
  return new ColumnState({ node, path, type, mayBeNull, children, dictionary: symbols });
}

/** Owns the buffers of some columns in a kernels' arena. */
export class ColumnStates {
  readonly columns: readonly ColumnState[];
  readonly address: number;
  readonly sizeBytes: number;
  readonly #all: readonly ColumnState[];
  readonly #kernels: Kernels;

  constructor(columns: readonly ColumnState[], kernels: Kernels) {
    this.columns = columns;
    this.#kernels = kernels;
    this.#all = columns.flatMap((column) => [...column.all()]);
    this.sizeBytes = this.#all.length * STATE_BYTES;
    this.address = kernels.arena.allocate(this.sizeBytes);
    kernels.bytes.fill(0, this.address, this.address + this.sizeBytes);
    for (const [i, state] of this.#all.entries()) {
      state.address = this.address + i * STATE_BYTES;
      this.#words(state)[avroState.width] = state.width;
    }
  }

  /** A view of a state's words; stale after the next allocation. */
  #words(state: ColumnState): Uint32Array {
    return new Uint32Array(this.#kernels.exports.memory.buffer, state.address, STATE_WORDS);
  }

  /** Room for `rows` more values in every column, so that kernels stop for lists and bytes only. */
  makeRoom(rows: number): void {
    for (const column of this.columns) this.#makeRoom(column, rows);
  }

  #makeRoom(state: ColumnState, rows: number): void {
    const words = this.#words(state);
    const wanted = (words[avroState.length] as number) + rows;
    const capacity = words[avroState.capacity] as number;
    if (wanted > capacity) this.#growValues(state, Math.max(wanted, Math.min(capacity * 2, wanted * 2)));
    if (state.layout === "struct") for (const child of state.children) this.#makeRoom(child, rows);
  }

  /** What `rows` rows appended since the last `take` took in every state. */
  shapes(rows: number): RowShape[] {
    return this.#all.map((state) => {
      const words = this.#words(state);
      return { values: (words[avroState.length] as number) / rows, bytes: (words[avroState.used] as number) / rows };
    });
  }

  /** Room for `rows` rows like those before, so that kernels seldom stop. */
  reserve(rows: number, shapes: readonly RowShape[]): void {
    for (const [i, state] of this.#all.entries()) {
      const { values, bytes } = shapes[i] as RowShape;
      const capacity = Math.min(Math.ceil(values * rows * SPARE), RESERVE_BYTES / Math.max(4, state.width));
      if (capacity > (this.#words(state)[avroState.capacity] as number)) this.#growValues(state, Math.floor(capacity));
      const room = Math.min(Math.ceil(bytes * rows * SPARE), RESERVE_BYTES);
      if (state.layout === "bytes" && room > (this.#words(state)[avroState.room] as number))
        this.#growData(state, room);
    }
  }

  #growData(state: ColumnState, room: number): void {
    this.#grow(state, avroState.data, this.#words(state)[avroState.used] as number, room);
    this.#words(state)[avroState.room] = room;
  }

  /** What the state at `address` would have taken since the last call of a kernel to want this growth, in bytes. */
  wantedBytes(address: number, bytes: number): number {
    const state = this.#stateAt(address);
    const words = this.#words(state);
    if (bytes > 0) return bytes - (words[avroState.used] as number);
    const values = (words[avroState.capacity] as number) - (words[avroState.length] as number) + 1;
    return values * Math.max(4, state.width);
  }

  #empty(state: ColumnState): void {
    const words = this.#words(state);
    words[avroState.length] = 0;
    words[avroState.nulls] = 0;
    words[avroState.used] = 0;
  }

  #stateAt(address: number): ColumnState {
    return this.#all[(address - this.address) / STATE_BYTES] as ColumnState;
  }

  /** Grows the state at `address`: for more values when `bytes` is 0, else for so many bytes of data. */
  grow(address: number, bytes: number): void {
    const state = this.#stateAt(address);
    const words = this.#words(state);
    if (bytes === 0) {
      const first = Math.min(FIRST_VALUES, Math.floor(FIRST_VALUES_BYTES / Math.max(1, state.width)));
      this.#growValues(state, Math.max(1, first, (words[avroState.capacity] as number) * 2));
      return;
    }
    const room = words[avroState.room] as number;
    const grown = Math.max(bytes, FIRST_BYTES, Math.min(MAX_BYTES, room * (room < 65_536 ? 8 : 2)));
    this.#growData(state, grown);
  }

  #growValues(state: ColumnState, capacity: number): void {
    const length = this.#words(state)[avroState.length] as number;
    const bits = (length + 7) >> 3;
    if (state.mayBeNull) this.#grow(state, avroState.validity, bits, (capacity + 7) >> 3);
    switch (state.layout) {
      case "boolean":
        this.#grow(state, avroState.data, bits, (capacity + 7) >> 3);
        break;
      case "fixed":
        this.#grow(state, avroState.data, length * state.width, capacity * state.width);
        break;
      case "union":
        this.#grow(state, avroState.data, length, capacity);
        this.#grow(state, avroState.offsets, length * 4, capacity * 4);
        break;
      case "bytes":
      case "list":
        this.#growOffsets(state, length, capacity);
        break;
      default:
    }
    this.#words(state)[avroState.capacity] = capacity;
  }

  #growOffsets(state: ColumnState, length: number, capacity: number): void {
    this.#grow(state, avroState.offsets, (length + 1) * 4, (capacity + 1) * 4);
    const at = this.#words(state)[avroState.offsets] as number;
    if (length === 0) this.#kernels.bytes.fill(0, at, at + 4);
  }

  /** Replaces the block whose address is word `word` by one of `sizeBytes`, with its first `used` bytes. */
  #grow(state: ColumnState, word: number, used: number, sizeBytes: number): void {
    if (sizeBytes > MAX_BYTES) {
      throw new UnsupportedError(`a slab would take ${sizeBytes} bytes for one column`, {
        where: { column: state.path },
        remedy: "Read with a smaller batchRows.",
      });
    }
    const { arena } = this.#kernels;
    const old = this.#words(state)[word] as number;
    const address = arena.allocate(sizeBytes);
    if (old !== 0) {
      this.#kernels.bytes.copyWithin(address, old, old + used);
      arena.release(old);
    }
    this.#words(state)[word] = address;
  }

  /** Everything appended so far, copied out of the arena; the states are empty again. @throws FormatError for bad UTF-8 */
  take(): Column[] {
    return this.columns.map((column) => this.#take(column));
  }

  #take(state: ColumnState): Column {
    const words = this.#words(state).slice();
    const length = words[avroState.length] as number;
    const { type, layout } = state;
    const nullCount = layout === "null" ? length : (words[avroState.nulls] as number);
    const hasOffsets = layout === "bytes" || layout === "list" || layout === "union";
    const offsetCount = layout === "union" ? length : length + 1;
    const dataBytes = {
      null: 0,
      struct: 0,
      list: 0,
      boolean: (length + 7) >> 3,
      fixed: length * state.width,
      bytes: words[avroState.used] as number,
      union: length,
    }[layout];
    if (type.kind === "utf8") this.#checkUtf8(state, words, length);
    const hasData = layout !== "null" && layout !== "struct" && layout !== "list";
    const column: Column = {
      type,
      length,
      nullCount,
      validity: layout === "null" || nullCount === 0 ? null : this.#bits(words[avroState.validity] as number, length),
      offsets: hasOffsets ? this.#offsets(words[avroState.offsets] as number, offsetCount) : null,
      data: hasData ? this.#data(layout, words[avroState.data] as number, length, dataBytes) : null,
      children: state.children.map((child) => this.#take(child)),
      dictionary: state.dictionary,
    };
    this.#empty(state);
    return column;
  }

  #copy(address: number, sizeBytes: number): Uint8Array {
    return this.#kernels.bytes.slice(address, address + sizeBytes);
  }

  #data(layout: Layout, address: number, length: number, sizeBytes: number): Uint8Array {
    return layout === "boolean" ? this.#bits(address, length) : this.#copy(address, sizeBytes);
  }

  /** A bitmap whose last byte has no bits of values that were given up. */
  #bits(address: number, length: number): Uint8Array {
    const bits = this.#copy(address, (length + 7) >> 3);
    if (length % 8 !== 0) bits[bits.length - 1] = (bits.at(-1) as number) & ((1 << (length % 8)) - 1);
    return bits;
  }

  #offsets(address: number, count: number): Int32Array {
    // A column without values has no buffers yet.
    if (address === 0) return new Int32Array(count);
    const bytes = this.#copy(address, count * 4);
    return new Int32Array(bytes.buffer, 0, count);
  }

  #checkUtf8(state: ColumnState, words: Uint32Array, length: number): void {
    if (length === 0) return;
    const { exports } = this.#kernels;
    const data = words[avroState.data] as number;
    try {
      checked(exports, exports.validateUtf8(data, words[avroState.offsets] as number, length));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      throw new FormatError("a string is not UTF-8", { where: { column: state.path }, cause: error });
    }
  }

  release(): void {
    const { arena } = this.#kernels;
    for (const state of this.#all) {
      const words = this.#words(state);
      for (const word of [avroState.data, avroState.offsets, avroState.validity]) {
        if (words[word] !== 0) arena.release(words[word] as number);
      }
    }
    arena.release(this.address);
  }
}
