import { type Column, type DataType, FormatError } from "@ingest-ts/core";
import type { ArenaScope } from "../arena-scope.ts";
import type { ByteStream, IntegerStream } from "../streams.ts";
import { everySlot, type Presence, readPresence, validityOf } from "./presence.ts";
import type { ColumnReader } from "./reader.ts";
import { readOffsets } from "./strings.ts";

type UnionType = Extract<DataType, { kind: "union" }>;

/** struct: its fields have entries only where it is present. */
export function structReader(
  type: DataType,
  present: ByteStream | undefined,
  fields: readonly ColumnReader[],
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const children: Column[] = [];
      for (const field of fields) children.push(yield* field.read(presence, scope));
      const { validity, nullCount } = validityOf(presence, scope);
      return {
        type,
        length: presence.count,
        nullCount,
        validity,
        offsets: null,
        data: null,
        children,
        dictionary: null,
      };
    },
  };
}

function offsetColumn(
  type: DataType,
  presence: Presence,
  offsets: number,
  children: readonly Column[],
  scope: ArenaScope,
): Column {
  const bytes = scope.copyOut(offsets, (presence.count + 1) * 4);
  const { validity, nullCount } = validityOf(presence, scope);
  return {
    type,
    length: presence.count,
    nullCount,
    validity,
    offsets: new Int32Array(bytes.buffer, bytes.byteOffset, presence.count + 1),
    data: null,
    children,
    dictionary: null,
  };
}

/** list: lengths, then the items of all lists. */
export function listReader(
  type: DataType,
  present: ByteStream | undefined,
  lengths: IntegerStream,
  item: ColumnReader,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { offsets, total } = yield* readOffsets(lengths, presence, scope);
      return offsetColumn(type, presence, offsets, [yield* item.read(everySlot(total), scope)], scope);
    },
  };
}

/** map: as a list of entries. @throws FormatError for a null key, which Arrow cannot hold. */
export function mapReader(
  type: Extract<DataType, { kind: "map" }>,
  present: ByteStream | undefined,
  lengths: IntegerStream,
  key: ColumnReader,
  value: ColumnReader,
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { offsets, total } = yield* readOffsets(lengths, presence, scope);
      const children = [yield* key.read(everySlot(total), scope), yield* value.read(everySlot(total), scope)];
      if ((children[0] as Column).nullCount > 0) {
        throw new FormatError("a map has a null key", { where: { column: lengths.place.column } });
      }
      const entries: Column = {
        type: type.child.type,
        length: total,
        nullCount: 0,
        validity: null,
        offsets: null,
        data: null,
        children,
        dictionary: null,
      };
      return offsetColumn(type, presence, offsets, [entries], scope);
    },
  };
}

/** The slots of `presence` whose tag is `tag`. */
function branchPresence(
  tags: Int8Array,
  presence: Presence,
  validity: Uint8Array | null,
  tag: number,
  scope: ArenaScope,
) {
  const address = scope.zeros((presence.count + 7) >> 3);
  const bits = scope.kernels.bytes;
  let valid = 0;
  for (let i = 0; i < presence.count; i++) {
    if (tags[i] !== tag) continue;
    if (validity !== null && (((validity[i >> 3] as number) >> (i & 7)) & 1) === 0) continue;
    bits[address + (i >> 3)] = (bits[address + (i >> 3)] as number) | (1 << (i & 7));
    valid++;
  }
  return { count: presence.count, valid, address };
}

/** union: tags, then the values of each branch. Sparse; a null is a null of branch 0, since Arrow's unions have none. */
export function unionReader(
  type: UnionType,
  present: ByteStream | undefined,
  data: ByteStream,
  branches: readonly ColumnReader[],
): ColumnReader {
  return {
    *read(parent, scope) {
      const presence = yield* readPresence(present, parent, scope);
      const { count, valid } = presence;
      const { validity } = validityOf(presence, scope);
      const dense = yield* data.read(valid, scope);
      const tags = new Int8Array(count);
      const bytes = scope.kernels.bytes;
      for (let i = 0, next = dense; i < count; i++) {
        if (validity !== null && (((validity[i >> 3] as number) >> (i & 7)) & 1) === 0) continue;
        const tag = bytes[next++] as number;
        if (tag >= branches.length) {
          throw new FormatError(`a union has tag ${tag} of ${branches.length} branches`, {
            where: { column: data.place.column, offset: data.place.offset },
          });
        }
        tags[i] = tag;
      }
      const children: Column[] = [];
      for (const [tag, branch] of branches.entries())
        children.push(yield* branch.read(branchPresence(tags, presence, validity, tag, scope), scope));
      const ids = new Uint8Array(tags.buffer);
      return {
        type,
        length: count,
        nullCount: 0,
        validity: null,
        offsets: null,
        data: ids,
        children,
        dictionary: null,
      };
    },
  };
}
