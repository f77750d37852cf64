export type { ServeAddress, ServeOptions } from "./serve-options.ts";
export { type BatchServer, serve } from "./server.ts";
