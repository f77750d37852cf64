export { inferJsonType, JsonDecoder } from "./json/index.ts";
export type { DecodedValues, PoisonValue } from "./values.ts";
