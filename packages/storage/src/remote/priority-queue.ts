interface Entry<T> {
  readonly rank: number;
  readonly turn: number;
  readonly item: T;
}

/** A binary heap: the lowest rank leaves first, and of equal ranks the one that came first. */
export class PriorityQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #turn = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(rank: number, item: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ rank, turn: this.#turn++, item });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.item;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a] as Entry<T>, this.#heap[b] as Entry<T>];
    return x.rank < y.rank || (x.rank === y.rank && x.turn < y.turn);
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a] as Entry<T>;
    this.#heap[a] = this.#heap[b] as Entry<T>;
    this.#heap[b] = x;
  }
}
