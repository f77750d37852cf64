export {
  isTopicName,
  type KafkaAddress,
  type KafkaConnection,
  type KafkaSasl,
  type KafkaTls,
  kafkaUrl,
  parseKafkaUrl,
} from "./connection.ts";
export type {
  AckOutcome,
  AssignOptions,
  EndAt,
  GroupOptions,
  KafkaOptions,
  KafkaReader,
  KafkaSlab,
  OnDataLoss,
  PartitionOffsets,
  PartitionPosition,
  StartAt,
} from "./reader/types.ts";
export { openKafka } from "./reader/open.ts";
export { mergeStates, stateOffsets } from "./reader/state.ts";
export type { Gap, GapCause } from "./records/gap.ts";
export { recordSchema } from "./records/schema.ts";
export { errorName, errorRemedy } from "./transport/error-codes.ts";
export { retrying, type RetryPolicy } from "./transport/retry.ts";
export { openTransport } from "./transport/kafkajs-transport.ts";
export type {
  AbortedTransaction,
  BrokerInfo,
  CallOptions,
  ClusterInfo,
  CommittedOffset,
  FetchedPartition,
  FetchPartition,
  FetchRequest,
  GroupMember,
  Isolation,
  JoinGroupRequest,
  JoinGroupResponse,
  ListedOffset,
  OffsetCommit,
  OffsetQuery,
  OffsetSpec,
  PartitionError,
  PartitionInfo,
  ProducedOffset,
  RecordToProduce,
  SyncGroupResponse,
  TopicInfo,
  TopicPartition,
  Transport,
} from "./transport/types.ts";
