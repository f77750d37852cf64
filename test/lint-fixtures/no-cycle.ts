import { half } from "./no-cycle-other.ts";

export const whole = (): number => 2 * half();
