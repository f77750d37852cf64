import type { SchemeTable } from "@ingest-ts/core";

/** Every scheme that this package opens (and lists, where it has folders). Add a row to add a store. */
export const schemes: SchemeTable = {
  file: () => import("./file.ts"),
  s3: () => import("./s3/s3.ts"),
  http: () => import("./http/http.ts"),
  https: () => import("./http/http.ts"),
};
