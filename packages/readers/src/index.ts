export { type ListedFile, type Listing, listDataset, type ListingOptions, type Skipped } from "./dataset/listing.ts";
export { partitionsPass } from "./dataset/file-where.ts";
export { nullColumn } from "./dataset/null-column.ts";
export { fileReader, type FileOptions, openFile, openListed, schemaOfFile } from "./dataset/open-file.ts";
export { partitionFields, type PartitionValue } from "./dataset/partitions.ts";
export {
  datasetSchema,
  type NamedSchema,
  type SchemaDifference,
  type UniteOptions,
  type UnitedSchema,
  uniteSchemas,
} from "./dataset/unite.ts";
export { detectFormat } from "./detect.ts";
export {
  inspect,
  type InspectedColumn,
  type InspectedFragment,
  type InspectedPage,
  type InspectFileOptions,
  type Inspection,
} from "./inspect.ts";
export { open, type OpenedObject, type OpenOptions } from "./open.ts";
export type { DatasetFile, DatasetInfo, FragmentOptions, Reader } from "./reader.ts";
