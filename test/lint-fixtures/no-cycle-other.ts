import { whole } from "./no-cycle.ts";

export const half = (): number => whole() / 2;
