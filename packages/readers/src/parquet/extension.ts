import { Converted, Logical, type LogicalType, type SchemaElement } from "./spec.ts";

/** Metadata of a field that says what its values mean beyond their type (Arrow: "Extension Types"). */
export interface WithExtension {
  readonly metadata?: Readonly<Record<string, string>>;
}

const none: WithExtension = {};

function extension(name: string, metadata: string): WithExtension {
  return { metadata: { "ARROW:extension:name": name, "ARROW:extension:metadata": metadata } };
}

/**
 * The extension type of an annotation that Arrow has no type for: uuid, json, variant, and geometries as WKB. The column
 * keeps its storage type.
 *
 * @param keyValues the file's metadata, where a coordinate reference system may be kept
 */
export function extensionOf(
  { logical, converted }: SchemaElement,
  keyValues: Readonly<Record<string, string>>,
): WithExtension {
  const id = logical?.id ?? (converted === Converted.JSON ? Logical.JSON : undefined);
  switch (id) {
    case Logical.UUID:
      return extension("arrow.uuid", "");
    case Logical.JSON:
      return extension("arrow.json", "");
    case Logical.VARIANT:
      return extension("arrow.parquet.variant", "");
    case Logical.GEOMETRY:
    case Logical.GEOGRAPHY:
      return extension("geoarrow.wkb", JSON.stringify(geoMetadata(logical as LogicalType, keyValues)));
    default:
      return none;
  }
}

/** Thrift: `enum EdgeInterpolationAlgorithm`, by the names that GeoArrow gives them. */
const edges = ["spherical", "vincenty", "thomas", "andoyer", "karney"] as const;

/** GeoArrow's extension metadata (LogicalTypes, "Geospatial Types": `crs` and `algorithm`). */
function geoMetadata({ id, crs, algorithm = 0 }: LogicalType, keyValues: Readonly<Record<string, string>>): object {
  const system = crsOf(crs, keyValues);
  return id === Logical.GEOGRAPHY ? { ...system, edges: edges[algorithm] ?? `algorithm ${algorithm}` } : system;
}

function crsOf(crs: string | undefined, keyValues: Readonly<Record<string, string>>): object {
  // "If unset, the CRS is OGC:CRS84."
  if (crs === undefined || crs === "") return { crs: "OGC:CRS84", crs_type: "authority_code" };
  if (crs.startsWith("srid:")) return { crs: crs.slice(5), crs_type: "srid" };
  if (!crs.startsWith("projjson:")) return { crs };
  const key = crs.slice(9);
  const stored = Object.hasOwn(keyValues, key) ? keyValues[key] : undefined;
  if (stored === undefined) return { crs };
  try {
    return { crs: JSON.parse(stored) as unknown, crs_type: "projjson" };
  } catch {
    return { crs: stored };
  }
}
