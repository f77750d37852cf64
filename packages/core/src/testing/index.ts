// Test kits that sources, stages and formats must pass.
export {};
