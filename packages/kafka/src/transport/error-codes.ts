/**
 * What a code asks for.
 *
 * | action | |
 * | --- | --- |
 * | retry | the same request again, later |
 * | refresh | metadata of the partition first: its leader moved, or has another epoch |
 * | coordinator | find the group's coordinator first |
 * | rejoin | the group rebalances: join again |
 * | reset | the offset is not in the log |
 * | fatal | nothing that time would heal |
 */
export type ErrorAction = "retry" | "refresh" | "coordinator" | "rejoin" | "reset" | "fatal";

interface Known {
  readonly name: string;
  readonly action: ErrorAction;
  readonly remedy?: string;
}

const acl = (resource: string): string => `Grant the client's principal access to the ${resource}.`;

/** https://kafka.apache.org/protocol#protocol_error_codes */
const known: Readonly<Record<number, Known>> = {
  1: { name: "OFFSET_OUT_OF_RANGE", action: "reset" },
  2: { name: "CORRUPT_MESSAGE", action: "retry" },
  3: { name: "UNKNOWN_TOPIC_OR_PARTITION", action: "refresh" },
  5: { name: "LEADER_NOT_AVAILABLE", action: "refresh" },
  6: { name: "NOT_LEADER_OR_FOLLOWER", action: "refresh" },
  7: { name: "REQUEST_TIMED_OUT", action: "retry" },
  8: { name: "BROKER_NOT_AVAILABLE", action: "refresh" },
  9: { name: "REPLICA_NOT_AVAILABLE", action: "refresh" },
  10: { name: "MESSAGE_TOO_LARGE", action: "fatal", remedy: "Raise max.message.bytes of the topic." },
  12: { name: "OFFSET_METADATA_TOO_LARGE", action: "fatal" },
  13: { name: "NETWORK_EXCEPTION", action: "refresh" },
  14: { name: "COORDINATOR_LOAD_IN_PROGRESS", action: "retry" },
  15: { name: "COORDINATOR_NOT_AVAILABLE", action: "coordinator" },
  16: { name: "NOT_COORDINATOR", action: "coordinator" },
  17: { name: "INVALID_TOPIC_EXCEPTION", action: "fatal" },
  19: { name: "NOT_ENOUGH_REPLICAS", action: "retry" },
  20: { name: "NOT_ENOUGH_REPLICAS_AFTER_APPEND", action: "retry" },
  22: { name: "ILLEGAL_GENERATION", action: "rejoin" },
  23: {
    name: "INCONSISTENT_GROUP_PROTOCOL",
    action: "fatal",
    remedy: "All members of a group need a common assignor.",
  },
  24: { name: "INVALID_GROUP_ID", action: "fatal" },
  25: { name: "UNKNOWN_MEMBER_ID", action: "rejoin" },
  26: {
    name: "INVALID_SESSION_TIMEOUT",
    action: "fatal",
    remedy:
      "Choose sessionTimeoutMs within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms.",
  },
  27: { name: "REBALANCE_IN_PROGRESS", action: "rejoin" },
  28: { name: "INVALID_COMMIT_OFFSET_SIZE", action: "fatal" },
  29: { name: "TOPIC_AUTHORIZATION_FAILED", action: "fatal", remedy: acl("topic") },
  30: { name: "GROUP_AUTHORIZATION_FAILED", action: "fatal", remedy: acl("group") },
  31: { name: "CLUSTER_AUTHORIZATION_FAILED", action: "fatal", remedy: acl("cluster") },
  35: { name: "UNSUPPORTED_VERSION", action: "fatal", remedy: "Brokers from 2.3 on are spoken to." },
  41: { name: "NOT_CONTROLLER", action: "refresh" },
  43: { name: "UNSUPPORTED_FOR_MESSAGE_FORMAT", action: "fatal" },
  45: { name: "OUT_OF_ORDER_SEQUENCE_NUMBER", action: "fatal" },
  46: { name: "DUPLICATE_SEQUENCE_NUMBER", action: "fatal" },
  47: { name: "INVALID_PRODUCER_EPOCH", action: "fatal" },
  56: { name: "KAFKA_STORAGE_ERROR", action: "refresh" },
  59: { name: "UNKNOWN_PRODUCER_ID", action: "fatal" },
  74: { name: "FENCED_LEADER_EPOCH", action: "refresh" },
  75: { name: "UNKNOWN_LEADER_EPOCH", action: "refresh" },
  76: { name: "UNSUPPORTED_COMPRESSION_TYPE", action: "fatal" },
  78: { name: "OFFSET_NOT_AVAILABLE", action: "retry" },
  79: { name: "MEMBER_ID_REQUIRED", action: "rejoin" },
  80: { name: "PREFERRED_LEADER_NOT_AVAILABLE", action: "refresh" },
  81: {
    name: "GROUP_MAX_SIZE_REACHED",
    action: "fatal",
    remedy: "Raise the broker's group.max.size, or start fewer members.",
  },
  82: {
    name: "FENCED_INSTANCE_ID",
    action: "fatal",
    remedy: "Another member runs with the same instanceId: give each its own.",
  },
  88: { name: "UNSTABLE_OFFSET_COMMIT", action: "retry" },
  89: { name: "THROTTLING_QUOTA_EXCEEDED", action: "retry" },
  100: { name: "UNKNOWN_TOPIC_ID", action: "refresh" },
  103: { name: "INCONSISTENT_TOPIC_ID", action: "refresh" },
};

/** The protocol's name for a code. */
export function errorName(code: number): string {
  return known[code]?.name ?? `error ${code}`;
}

/** What to do about a code; unknown ones are fatal. */
export function errorAction(code: number): ErrorAction {
  return known[code]?.action ?? "fatal";
}

/** What a person can do about it. */
export function errorRemedy(code: number): string | undefined {
  return known[code]?.remedy;
}
