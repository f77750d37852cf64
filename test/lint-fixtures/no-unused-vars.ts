import { join } from "node:path";

export const nothing = 0;
