// hyparquet with its compressors, column by column (its fastest form: no rows are assembled).
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { Checksum } from "./checksum.mjs";

// Dates as days, so that no engine pays for objects that the others do not make.
const parsers = { dateFromDays: (days) => days };

export async function read({ path }) {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const chunks = [];
  await parquetRead({ file, metadata, compressors, parsers, utf8: false, onChunk: (chunk) => chunks.push(chunk) });
  return { metadata, chunks };
}

export function checksum({ metadata, chunks }) {
  const names = parquetSchema(metadata).children.map((child) => child.element.name);
  const total = new Checksum();
  total.rows = Number(metadata.num_rows);
  for (const { columnName, columnData } of chunks) {
    const column = names.indexOf(columnName);
    for (let i = 0; i < columnData.length; i++) total.add(column, columnData[i]);
  }
  return total;
}
