export { concatColumns, concatRows } from "./concat.ts";
export { emptyColumn } from "./empty.ts";
export { type Layout, layoutOf } from "./layout.ts";
export { columnBytes } from "./size.ts";
export { sliceColumn, sliceRows } from "./slice.ts";
export { takeColumn, takeRows } from "./take.ts";
