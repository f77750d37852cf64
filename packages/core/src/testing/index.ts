// Test kits that sources, stages and formats must pass.
export { type CountingSource, countingSource, type Fault, faultySource, memorySource } from "./sources.ts";
export { type SourceFixture, type TestObject, type TestRunner, testSource } from "./test-source.ts";
export { Dice } from "./dice.ts";
export { randomColumn, randomColumns } from "./random-columns.ts";
export { flatTypes, type NestedKind, randomSchema, type RandomSchemaOptions, randomType } from "./random-schema.ts";
export { type PlainValue, rowsOf, valueAt, valuesOf } from "./values.ts";
export { assertResumable, type ResumableOptions } from "./stage.ts";
