import { compareNames, OptionsError } from "@ingest-ts/core";

/** One object of the data set: what the order and the fingerprint need to know of it. */
export interface ManifestObject {
  /** Relative to the data set, with `/`; a copied data set keeps it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the bytes that describe the object (footer or index); a copy keeps it. */
  readonly digest: string;
  /** Exact rows of each fragment, in file order. */
  readonly fragmentRows: readonly number[];
}

/** One fragment's place in the manifest. */
export interface FragmentRef {
  /** Index into `Manifest.objects`. */
  readonly object: number;
  /** 0-based within the object. */
  readonly ordinal: number;
  readonly rows: number;
}

/** Rows that are ordered together: positions [start, start + rows). */
export interface Segment {
  readonly key: string;
  readonly start: number;
  readonly rows: number;
  /** Objects [firstObject, endObject) of the manifest. */
  readonly firstObject: number;
  readonly endObject: number;
  readonly fragments: readonly FragmentRef[];
}

/** The ordered list of everything there is to read: the whole input of the order. */
export interface Manifest {
  readonly objects: readonly ManifestObject[];
  readonly segments: readonly Segment[];
  readonly rows: number;
}

/** `"object"`: every object its own segment; a function: objects of one key together; absent: one segment of all. */
export type SegmentBy = "object" | ((name: string) => string);

function keyOf(name: string, segmentBy: SegmentBy | undefined): string {
  if (segmentBy === undefined) return "";
  if (segmentBy === "object") return name;
  const key: unknown = segmentBy(name);
  if (typeof key === "string") return key;
  throw new OptionsError(`segmentBy gave ${String(key)} for "${name}"`, { remedy: "Return a string for every name." });
}

function segmentOf(
  key: string,
  start: number,
  objects: readonly ManifestObject[],
  first: number,
  end: number,
): Segment {
  const fragments: FragmentRef[] = [];
  let rows = 0;
  for (let object = first; object < end; object++) {
    (objects[object] as ManifestObject).fragmentRows.forEach((count, ordinal) => {
      fragments.push({ object, ordinal, rows: count });
      rows += count;
    });
  }
  return { key, start, rows, firstObject: first, endObject: end, fragments };
}

/**
 * Orders objects by the bytes of their names and groups them into segments (§5). A segment stands where its first name
 * does, so segments with later names are appended.
 *
 * @throws OptionsError when a name occurs twice: its rows would count twice.
 */
export function buildManifest(objects: readonly ManifestObject[], segmentBy?: SegmentBy): Manifest {
  const sorted = [...objects].sort((a, b) => compareNames(a.name, b.name));
  for (let i = 1; i < sorted.length; i++) {
    const { name } = sorted[i] as ManifestObject;
    if (name !== sorted[i - 1]?.name) continue;
    throw new OptionsError(`"${name}" is in the data set twice`, { remedy: "Name every object once." });
  }
  const groups = new Map<string, ManifestObject[]>();
  for (const object of sorted) {
    const key = keyOf(object.name, segmentBy);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  const ordered = [...groups.values()].flat();
  const segments: Segment[] = [];
  let rows = 0;
  let first = 0;
  for (const [key, group] of groups) {
    const segment = segmentOf(key, rows, ordered, first, first + group.length);
    segments.push(segment);
    rows += segment.rows;
    first += group.length;
  }
  return { objects: ordered, segments, rows };
}

/**
 * What objects are called inside their data set: their paths without the folders that all of them share; the file name
 * alone when there is one. So a data set keeps its names when it is copied.
 */
export function relativeNames(urls: readonly string[]): string[] {
  const parts = urls.map((url) => url.replaceAll("\\", "/").split("/"));
  const [first] = parts;
  if (first === undefined) return [];
  let shared = Math.min(...parts.map((names) => names.length)) - 1;
  for (const names of parts) {
    let same = 0;
    while (same < shared && names[same] === first[same]) same++;
    shared = same;
  }
  return parts.map((names) => names.slice(shared).join("/"));
}
