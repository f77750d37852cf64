export { Arena, SLACK_BYTES } from "./arena.ts";
export { checked, KernelError, type KernelFault, kernelFaults, throwKernelError } from "./kernel-error.ts";
export { acquireKernels, createKernels, type KernelExports, Kernels, loadKernels } from "./kernels.ts";
export { avroContext, avroFaults, avroOps, avroState } from "./api/avro.ts";
export { kafkaContext } from "./api/kafka.ts";
export {
  decodeColumn,
  decodeContext,
  decodeKey,
  encodeColumn,
  encodeContext,
  integerElements,
  keyHash,
  recordStops,
} from "./api/tfrecord.ts";
export { crc32c, crc32cByKernel, maskCrc32c, prepareCrc32c } from "./crc32c.ts";
export { ORC_BYTE_DONE, ORC_BYTE_STATE_BYTES, ORC_INTEGER_DONE, ORC_INTEGER_STATE_BYTES } from "./api/orc.ts";
export { hybridBound } from "./api/parquet-write.ts";
export { orcIntegersBound } from "./api/orc-write.ts";
