/**
 * Levels (one byte each, already checked against their maximum) → Arrow's bitmaps and offsets. `index` is the bit of the
 * bitmap to start at; bits before it in its byte are kept, bits after the last one in its byte become 0. `validCount()`
 * is the number of set bits written.
 */
export interface LevelKernels {
  /** Bit i = definition[i] ≥ threshold. Returns the number of set bits. */
  levelsToValidity(definition: number, count: number, threshold: number, out: number, index: number): number;
  /**
   * Validity of values below repeated ancestors. A level is a slot when definition ≥ slotLevel (the level at which the
   * innermost repeated ancestor has an element) and repetition ≤ maxRepetition (`repetition` 0: not looked at; needed
   * for structs that hold lists); the slot is valid when definition ≥ validLevel. Returns the slots; OUTPUT_FULL
   * (position: levels) past `capacity` of them.
   */
  levelsToSlots(
    repetition: number,
    definition: number,
    count: number,
    maxRepetition: number,
    slotLevel: number,
    validLevel: number,
    out: number,
    index: number,
    capacity: number,
  ): number;
  /**
   * Offsets and validity of a list (or map) whose elements repeat at `elementRepetition`. A new list begins at a level
   * with repetition < elementRepetition and definition ≥ slotLevel; it is valid at definition ≥ validLevel and has a
   * first element at definition ≥ elementLevel. `index` is the number of lists already in `out` (0: no bitmap) and
   * `offsets` points at the end of the last of them (preset, 0 for none), so a list may go on from the page before.
   * Returns the new lists. CORRUPT (position: levels) when an element has no list or a repeated level is empty,
   * OUTPUT_FULL past `capacity` lists, OVERFLOW past 2^31 − 1 elements.
   */
  levelsToLists(
    repetition: number,
    definition: number,
    count: number,
    elementRepetition: number,
    slotLevel: number,
    validLevel: number,
    elementLevel: number,
    offsets: number,
    out: number,
    index: number,
    capacity: number,
  ): number;
}
