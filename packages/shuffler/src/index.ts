export { LaneBlocks, type LaneBlocksOptions } from "./blocks.ts";
export { Lane, type LaneOptions, type LaneRows, type WindowPlan } from "./lane.ts";
export { acquireShuffleMemory, prepareShuffle, releaseShuffleMemory, ShuffleMemory } from "./memory.ts";
export { type Strand, weave } from "./weave.ts";
export { permuteWindow, plainWindow, type Window } from "./window.ts";
