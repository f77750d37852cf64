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
export { deadLetterHeaders } from "../poison/dead-letters.ts";
export type { PoisonCounts, PoisonOptions } from "../poison/policy.ts";
export { type DecodedSlab, PayloadReader, type PayloadReaderOptions } from "./reader.ts";
export { inferJsonType, JsonDecoder } from "./json/index.ts";
export type { DecodedValues, PayloadDecoder, PayloadInput, PayloadName, PoisonValue } from "./values.ts";
