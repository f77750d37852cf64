// The test kit that every format must pass.
export { type FormatFixture, testFormat } from "./test-format.ts";
