export { type RegisteredSchema, SchemaRegistry, type SubjectVersion } from "./client.ts";
export type { RegistryAuth, RegistryOptions } from "./http.ts";
