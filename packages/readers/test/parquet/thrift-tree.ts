// Thrift's compact protocol as trees that can be changed and written again, for fuzzing. Not safe for hostile bytes.

/** `type` as in the compact protocol; booleans of structs have it for their value. */
export interface ThriftNode {
  type: number;
  value: bigint | Uint8Array | ThriftNode[] | ThriftMember[] | undefined;
  /** Of lists: the type of the elements. */
  element?: number;
}

export interface ThriftMember {
  id: number;
  node: ThriftNode;
}

const BYTE = 3;
export const BINARY = 8;
export const LIST = 9;
export const STRUCT = 12;

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  node(type: number): ThriftNode {
    switch (type) {
      case 1:
      case 2:
        return { type, value: undefined };
      case BYTE:
        return { type, value: this.take(1) };
      case 7:
        return { type, value: this.take(8) };
      case BINARY:
        return { type, value: this.take(Number(this.varint())) };
      case LIST:
      case 10: {
        const head = this.bytes[this.at++] as number;
        const count = head >> 4 === 15 ? Number(this.varint()) : head >> 4;
        const element = head & 15;
        return { type, element, value: Array.from({ length: count }, () => this.element(element)) };
      }
      case STRUCT:
        return { type, value: this.members() };
      default:
        return { type, value: this.zigzag() };
    }
  }

  /** Booleans in lists take a byte each. */
  element(type: number): ThriftNode {
    return type === 1 || type === 2 ? { type, value: this.take(1) } : this.node(type);
  }

  members(): ThriftMember[] {
    const members: ThriftMember[] = [];
    for (let id = 0; ; ) {
      const head = this.bytes[this.at++] as number;
      if (head === 0) return members;
      id = head >> 4 === 0 ? Number(this.zigzag()) : id + (head >> 4);
      members.push({ id, node: this.node(head & 15) });
    }
  }
}

/** The struct at byte `at`, and where it ends. */
export function readThrift(bytes: Uint8Array, at: number): { node: ThriftNode; end: number } {
  const reader = new Reader(bytes, at);
  const node = reader.node(STRUCT);
  return { node, end: reader.at };
}

function varint(value: bigint, out: number[]): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
}

function zigzag(value: bigint, out: number[]): void {
  const wide = BigInt.asIntN(64, value);
  varint((wide << 1n) ^ (wide >> 63n), out);
}

function write({ type, value, element = 0 }: ThriftNode, out: number[]): void {
  if (value === undefined) return;
  if (typeof value === "bigint") zigzag(value, out);
  else if (value instanceof Uint8Array) {
    if (type === BINARY) varint(BigInt(value.length), out);
    for (const byte of value) out.push(byte);
  } else if (type === STRUCT) {
    let last = 0;
    for (const { id, node } of value as ThriftMember[]) {
      const delta = id - last;
      if (delta > 0 && delta < 16) out.push((delta << 4) | node.type);
      else {
        out.push(node.type);
        zigzag(BigInt(id), out);
      }
      last = id;
      write(node, out);
    }
    out.push(0);
  } else {
    const items = value as ThriftNode[];
    if (items.length < 15) out.push((items.length << 4) | element);
    else {
      out.push(0xf0 | element);
      varint(BigInt(items.length), out);
    }
    for (const item of items) write(item, out);
  }
}

export function writeThrift(node: ThriftNode): Uint8Array {
  const out: number[] = [];
  write(node, out);
  return Uint8Array.from(out);
}

/** The node at a path of member ids and list indices, when there is one. */
export function at(node: ThriftNode | undefined, ...path: readonly number[]): ThriftNode | undefined {
  let found = node;
  for (const step of path) {
    const value = found?.value;
    if (!Array.isArray(value)) return undefined;
    found =
      found?.type === STRUCT
        ? (value as ThriftMember[]).find(({ id }) => id === step)?.node
        : (value as ThriftNode[])[step];
  }
  return found;
}

/** Itself and everything below. */
export function allNodes(node: ThriftNode): ThriftNode[] {
  const { value } = node;
  if (!Array.isArray(value)) return [node];
  const below = node.type === STRUCT ? (value as ThriftMember[]).map((member) => member.node) : (value as ThriftNode[]);
  return [node, ...below.flatMap(allNodes)];
}
