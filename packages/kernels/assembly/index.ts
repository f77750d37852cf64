// The one module: every kernel file is re-exported here. Pointers are byte addresses in the module's memory, lengths are
// in bytes or values as named. No kernel trusts its input: each checks lengths once per run or page and answers a
// negative code instead of reading or writing outside what it was given. Buffers have SLACK readable and writable bytes
// behind them (see src/arena.ts), so that 16-byte stores may run past a value.
export { heapBase } from "./memory";
