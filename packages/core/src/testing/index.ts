// Test kits that sources, stages and formats must pass.
export { type CountingSource, countingSource, type Fault, faultySource, memorySource } from "./sources.ts";
export { type SourceFixture, type TestObject, type TestRunner, testSource } from "./test-source.ts";
