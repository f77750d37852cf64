// Real S3 servers: servers.mjs, which benchmarks start too with its types.
export { accessKey, type S3Server, type S3ServerKind, secretKey, servers } from "./servers.mjs";
