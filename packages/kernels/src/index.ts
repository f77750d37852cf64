export { Arena, SLACK_BYTES } from "./arena.ts";
export { acquireKernels, type KernelExports, Kernels, loadKernels } from "./kernels.ts";
