export { restoreColumn, restoreColumns } from "./restore-column.ts";
export { restoreFields } from "./restore-type.ts";
export { storedFields, withoutStoredSchema } from "./stored-schema.ts";
