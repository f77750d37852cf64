import { type ByteSpan, type Column, FormatError, type Limits } from "@ingest-ts/core";
import { GrowingValidity } from "./growing.ts";
import { leafDecoder } from "./leaf-decoder.ts";
import { type LeafValues, SlotFault, type Step } from "./leaf-values.ts";
import type { LeafNode, ListNode, StructNode } from "./nodes.ts";
import { restoreColumn } from "../restore/index.ts";
import { PageReader } from "./pages.ts";
import type { ChunkPlan, ParquetPlan } from "./plan.ts";
import type { PageLocation } from "./page-index.ts";
import type { RowSpan } from "./survey.ts";
import { Spine, type SpinePart } from "./spine.ts";
import type { Scratch } from "../scratch.ts";
import type { Workspace } from "./workspace.ts";

/** What one leaf gives to a slab. */
export interface LeafOutput {
  readonly node: LeafNode;
  /** Validity and offsets of every ancestor, outermost first. */
  readonly spine: readonly SpinePart[];
  readonly column: Column;
}

/** How a chunk is read; what comes out does not depend on it. */
export interface LeafOptions {
  readonly limits: Limits;
  /** How much to fetch at a time. */
  readonly aheadBytes: number;
  /** Rows to pass over. */
  readonly skip: number;
  /** Memory for what is fetched, when the source writes to it. */
  readonly scratch: Scratch | undefined;
}

/** Reads one column chunk: rows in, Arrow buffers of the leaf and of its ancestors out. */
export class LeafReader {
  readonly node: LeafNode;
  readonly #space: Workspace;
  readonly #pages: PageReader;
  readonly #values: LeafValues;
  readonly #validity: GrowingValidity = new GrowingValidity();
  readonly #spine: Spine;
  readonly #rowsInChunk: number;
  readonly #chunk: ChunkPlan;
  /** Next level pair of the open page. */
  #position: number = 0;
  /** Rows still to be passed over before the first one that is wanted. */
  #skip: number;
  /** Whether the row that the next level pair may continue is passed over. */
  #dropping = false;
  #ended = false;
  #rowsSeen = 0;
  #expectedSlotsPerRow: number;
  #expectedRows = 0;
  /** Slots appended and not yet taken. */
  #slots = 0;
  /** Rows buffered: appended and not yet taken. */
  rows = 0;

  /**
   * @param ancestors from the top-level column down to the parent of `node`.
   */
  constructor(
    space: Workspace,
    node: LeafNode,
    ancestors: readonly (StructNode | ListNode)[],
    group: ParquetPlan,
    chunk: ChunkPlan,
    options: LeafOptions,
  ) {
    this.node = node;
    this.#space = space;
    this.#pages = new PageReader(space, chunk, node.leaf, options.limits, options.aheadBytes, options.scratch);
    this.#values = leafDecoder(space, node, options.limits);
    this.#spine = new Spine(space, ancestors);
    this.#rowsInChunk = group.numRows;
    this.#chunk = chunk;
    this.#skip = options.skip;
    this.#expectedSlotsPerRow = group.numRows === 0 ? 1 : chunk.numValues / group.numRows;
  }

  /** What must be fetched before `fill` can go on. */
  get wanted(): readonly ByteSpan[] {
    return this.#pages.wanted;
  }

  /** Memory for the answers to `wanted`; none when the source brings it. */
  places(): readonly Uint8Array[] {
    return this.#pages.places();
  }

  give(answers: readonly Uint8Array[]): void {
    this.#pages.give(answers);
  }

  /** Gives back what was fetched. What was taken stays. */
  close(): void {
    this.#pages.close();
  }

  /** Makes pages known from the offset index; only those with rows of `spans` are fetched ahead. */
  locate(pages: readonly PageLocation[], spans: readonly RowSpan[]): void {
    const [first] = pages;
    const isInside =
      first !== undefined && first.offset >= this.#chunk.start && (pages.at(-1)?.offset ?? 0) < this.#chunk.end;
    if (this.node.leaf.maxRepetition > 0 || !isInside) return;
    const ahead = pages
      .filter((page) => spans.some(([from, to]) => from < page.to && page.from < to))
      .map(({ offset, sizeBytes }) => ({ start: offset, end: Math.min(this.#chunk.end, offset + sizeBytes) }));
    // Before the first data page there may be a dictionary.
    this.#pages.locate(pages, [{ start: this.#chunk.start, end: first.offset }, ...ahead]);
  }

  /** The page being read, for errors. */
  get offset(): number {
    return this.#pages.offset;
  }

  /**
   * Buffers rows until there are `target`, or until one more would make the buffers larger than `maxBytes` (one row is
   * always buffered).
   *
   * @returns false when `wanted` must be fetched first.
   */
  fill(target: number, maxBytes: number): boolean {
    this.#expectedRows = target;
    for (;;) {
      if (this.#position < this.#pages.entries) {
        const more =
          this.node.leaf.maxRepetition === 0 ? this.#fillFlat(target, maxBytes) : this.#fillRepeated(target, maxBytes);
        if (!more) return true;
      } else {
        // Rows of a flat column end with their pages; past the last one, the end of the chunk is still to be checked.
        const isFull = this.node.leaf.maxRepetition === 0 && this.rows >= target && this.#rowsSeen < this.#rowsInChunk;
        if (this.#ended || isFull) return true;
        const page = this.#pages.next(this.#values, this.#skip);
        if (page === "need") return false;
        if (page === undefined) this.#end();
        else this.#nextPage(page);
      }
    }
  }

  #end(): void {
    this.#ended = true;
    if (this.#rowsSeen !== this.#rowsInChunk)
      throw new FormatError(`the column chunk holds ${this.#rowsSeen} rows, its row group ${this.#rowsInChunk}`);
  }

  #nextPage(page: Exclude<ReturnType<PageReader["next"]>, "need" | undefined>): void {
    if (page.rows !== undefined && page.rows <= this.#skip && page.entries > 0) {
      this.#skip -= page.rows;
      this.#rowsSeen += page.rows;
      this.#dropping = true;
      this.#pages.pass(page);
      return;
    }
    this.#pages.open(page, this.#values);
    this.#position = 0;
    if (this.node.leaf.maxRepetition > 0 && page.entries > 0) this.#checkRows(page.rows);
  }

  /** A chunk and every v2 page begin with a new row. */
  #checkRows(rows: number | undefined): void {
    const continues = (this.#space.bytes[this.#pages.repetition] as number) !== 0;
    if (continues && (this.#rowsSeen === 0 || rows !== undefined))
      throw new FormatError("the first repetition level is not 0: the page begins inside a row");
    if (rows === undefined) return;
    this.#space.x.rowBoundary(this.#pages.repetition, this.#pages.entries, this.#pages.entries);
    const found = this.#space.x.position();
    if (found !== rows) throw new FormatError(`a page claims ${rows} rows and has ${found}`);
  }

  #fillFlat(target: number, maxBytes: number): boolean {
    const left = this.#pages.entries - this.#position;
    if (this.#skip > 0) {
      const rows = Math.min(this.#skip, left);
      this.#drop(rows);
      this.#skip -= rows;
      this.#rowsSeen += rows;
      return true;
    }
    let rows = Math.min(target - this.rows, left);
    if (rows <= 0) return false;
    while (!this.#append(rows, maxBytes)) {
      if (rows === 1) return false;
      rows >>= 1;
    }
    this.rows += rows;
    this.#rowsSeen += rows;
    return true;
  }

  #fillRepeated(target: number, maxBytes: number): boolean {
    const { x } = this.#space;
    const left = this.#pages.entries - this.#position;
    const levels = this.#pages.repetition + this.#position;
    if (this.#space.bytes[levels] !== 0) {
      // The rest of a row that began before: it belongs to where its beginning went.
      const entries = x.rowBoundary(levels, left, 0);
      if (this.#dropping) this.#drop(entries);
      else this.#append(entries, Number.POSITIVE_INFINITY);
      return true;
    }
    if (this.#skip > 0) {
      const entries = x.rowBoundary(levels, left, this.#skip);
      const rows = x.position();
      this.#drop(entries);
      this.#skip -= rows;
      this.#rowsSeen += rows;
      this.#dropping = true;
      return true;
    }
    if (this.#rowsSeen === this.#rowsInChunk)
      throw new FormatError(`the column chunk holds more than the ${this.#rowsInChunk} rows of its row group`);
    this.#dropping = false;
    for (let wanted = target - this.rows; wanted > 0; wanted >>= 1) {
      const entries = x.rowBoundary(levels, left, wanted);
      const rows = x.position();
      if (this.#append(entries, maxBytes)) {
        this.rows += rows;
        this.#rowsSeen += rows;
        return true;
      }
      wanted = Math.min(wanted, rows);
    }
    return false;
  }

  /** Passes over level pairs and their values. */
  #drop(entries: number): void {
    this.#values.skip(this.#validIn(entries));
    this.#position += entries;
  }

  /** How many of the next level pairs hold a value. */
  #validIn(entries: number): number {
    const { definition, valid } = this.#pages;
    if (definition === 0 || valid === this.#pages.entries) return entries;
    const bits = this.#space.bits.ensure((entries >> 3) + 8);
    const { x } = this.#space;
    return x.levelsToValidity(definition + this.#position, entries, this.node.leaf.maxDefinition, bits, 0);
  }

  /** Appends level pairs with their values. @returns false, having done nothing, when the buffers would get too large. */
  #append(entries: number, maxBytes: number): boolean {
    const step = this.#step(entries);
    // One row is always taken, whatever its size; two gigabytes are refused where they arise.
    const room =
      this.rows === 0 && this.#isOneRow(entries)
        ? Number.POSITIVE_INFINITY
        : maxBytes - this.#values.sizeOf(this.#slots);
    if (!this.#appendValues(step, room, entries)) return false;
    if (this.node.nullable) {
      if (step.bits === 0) this.#validity.fill(step.slots);
      else {
        const bits = this.#space.bytes.subarray(step.bits, step.bits + ((step.bit + step.slots + 7) >> 3));
        this.#validity.append(bits, step.slots, step.valid);
      }
    }
    if (this.#spine.parts > 0) {
      const { repetition, definition, entries: all, valid } = this.#pages;
      this.#spine.append({
        repetition: repetition === 0 ? 0 : repetition + this.#position,
        definition: definition === 0 ? 0 : definition + this.#position,
        entries,
        full: valid === all,
      });
    }
    this.#slots += step.slots;
    this.#position += entries;
    return true;
  }

  #appendValues(step: Step, room: number, entries: number): boolean {
    try {
      return this.#values.append(step, room);
    } catch (error) {
      if (!(error instanceof SlotFault)) throw error;
      throw this.#rowError(error, entries);
    }
  }

  /** Which row a value is of that does not fit. */
  #rowError({ message, slot }: SlotFault, entries: number): FormatError {
    const { bytes } = this.#space;
    const repetition = this.#pages.repetition === 0 ? 0 : this.#pages.repetition + this.#position;
    const definition = this.#pages.definition === 0 ? 0 : this.#pages.definition + this.#position;
    // A row that began before goes on until the first level 0.
    let row = this.#rowsSeen - 1;
    let slots = -1;
    for (let i = 0; i < entries && slots < slot; i++) {
      if (repetition === 0 || bytes[repetition + i] === 0) row++;
      if (definition === 0 || repetition === 0 || (bytes[definition + i] as number) >= this.node.slot.definition)
        slots++;
    }
    const remedy =
      this.node.type.kind === "timestamp" ? 'Read with timestampUnit "us" (--timestamp-unit us).' : undefined;
    return new FormatError(`row ${row}: ${message}`, { remedy });
  }

  #isOneRow(entries: number): boolean {
    if (this.node.leaf.maxRepetition === 0) return entries === 1;
    this.#space.x.rowBoundary(this.#pages.repetition + this.#position, entries, entries);
    return this.#space.x.position() <= 1;
  }

  #step(entries: number): Step {
    const expectedSlots = Math.ceil(this.#expectedRows * this.#expectedSlotsPerRow);
    const { definition, repetition, valid } = this.#pages;
    if (definition === 0 || valid === this.#pages.entries)
      return { slots: entries, valid: entries, bits: 0, bit: 0, expectedSlots };
    const { x } = this.#space;
    const { leaf, slot, nullable } = this.node;
    const bit = nullable ? this.#validity.bit : 0;
    const bits = this.#space.bits.ensure((entries >> 3) + 16);
    const levels = definition + this.#position;
    let slots = entries;
    let set: number;
    if (repetition === 0) set = x.levelsToValidity(levels, entries, leaf.maxDefinition, bits, bit);
    else {
      slots = x.levelsToSlots(
        0,
        levels,
        entries,
        leaf.maxRepetition,
        slot.definition,
        leaf.maxDefinition,
        bits,
        bit,
        entries,
      );
      set = x.validCount();
    }
    return { slots, valid: set, bits: set === slots ? 0 : bits, bit, expectedSlots };
  }

  /** Leaves out the next `rows` rows: those that are buffered, and then as many that are not yet read. */
  pass(rows: number): void {
    const held = Math.min(rows, this.rows);
    if (held > 0) this.take(held);
    this.#skip += rows - held;
  }

  /** Bytes of the first `rows` buffered rows. */
  sizeOf(rows: number): number {
    return this.#values.sizeOf(this.#spine.slotsOf(rows)) + this.#spine.sizeOf(rows);
  }

  /** The first `rows` buffered rows. */
  take(rows: number): LeafOutput {
    const { parts, slots } = this.#spine.take(rows);
    const { data, offsets, dictionary = null } = this.#values.take(slots);
    const { validity, nullCount } = this.node.nullable ? this.#validity.take(slots) : { validity: null, nullCount: 0 };
    const { type, stored = type } = this.node;
    this.rows -= rows;
    this.#slots -= slots;
    this.#expectedSlotsPerRow = rows === 0 ? this.#expectedSlotsPerRow : slots / rows;
    const isNull = type.kind === "null";
    const column: Column = {
      type: stored,
      length: slots,
      nullCount: isNull ? slots : nullCount,
      validity: isNull ? null : validity,
      offsets,
      data,
      children: [],
      dictionary,
    };
    return { node: this.node, spine: parts, column: stored === type ? column : restoreColumn(column, type) };
  }
}
