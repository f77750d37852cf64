export type { ArrowPayloadOptions } from "./arrow.ts";
export type { AvroPayloadOptions } from "./avro/index.ts";
export {
  createPayloadDecoder,
  type JsonPayloadOptions,
  payloadNames,
  type PayloadOptions,
  resumedOptions,
  wantsSample,
} from "./create.ts";
export type { ExamplePayloadOptions } from "./example.ts";
export { inferJsonType, JsonDecoder } from "./json/index.ts";
export type { DecodedValues, PayloadDecoder, PayloadInput, PayloadName, PoisonValue } from "./values.ts";
