import {
  type Column,
  type Columns,
  concatRows,
  type Field,
  OptionsError,
  type Schema,
  takeRows,
} from "@ingest-ts/core";

/** Says of each row of a padded run whether it is one (true) or fills up the last batch (false). */
const VALID_COLUMN = "ingest_valid";

const validField: Field = { name: VALID_COLUMN, type: { kind: "bool" }, nullable: false };

/** @throws OptionsError when the data has a column of this name. */
export function paddedSchema(schema: Schema): Schema {
  if (schema.fields.some(({ name }) => name === VALID_COLUMN)) {
    throw new OptionsError(`the data has a column "${VALID_COLUMN}", which padding adds`, {
      remedy: 'Use ends: "drop" or "uneven", or leave the column out.',
    });
  }
  return { ...schema, fields: [...schema.fields, validField] };
}

/** The rows with `ingest_valid` behind their columns: true for the first `valid` of them. */
export function withValid({ rows, columns }: Columns, valid: number = rows): Columns {
  const data = new Uint8Array((rows + 7) >> 3).fill(255, 0, valid >> 3);
  if ((valid & 7) !== 0) data[valid >> 3] = (1 << (valid & 7)) - 1;
  const none = { nullCount: 0, validity: null, offsets: null, children: [], dictionary: null };
  const column: Column = { ...none, type: validField.type, length: rows, data };
  return { rows, columns: [...columns, column] };
}

/** The rows followed by `missing` copies of `last`, and `ingest_valid`. */
export function padRows(rows: Columns, last: Columns, missing: number): Columns {
  const copies = takeRows(last, new Int32Array(missing));
  return withValid(rows.rows === 0 ? copies : concatRows([rows, copies]), rows.rows);
}
