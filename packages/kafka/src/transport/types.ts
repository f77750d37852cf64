/** Who sees what: with "read_committed" (the default) records of aborted and of open transactions are not delivered. */
export type Isolation = "read_committed" | "read_uncommitted";

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A broker that can be asked. */
export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionInfo extends TopicPartition {
  /** The leader's broker id; -1 while there is none. */
  readonly leader: number;
  /** Rises with every election; -1 from brokers that do not say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicInfo {
  readonly name: string;
  /** 32 hex digits, new for a topic that was deleted and made again; null from brokers before 2.8. */
  readonly topicId: string | null;
  readonly internal: boolean;
  /** By partition. */
  readonly partitions: readonly PartitionInfo[];
  /** Kafka's error code for this topic (3: unknown topic). 0 is none. */
  readonly errorCode: number;
}

export interface ClusterInfo {
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly brokers: readonly BrokerInfo[];
  readonly topics: readonly TopicInfo[];
}

/**
 * Which offset of a partition is asked for; `timestampMs`: the first whose record is not older. "earliestLocal": the first
 * on the broker's own disk, where older ones are in remote storage.
 */
export type OffsetSpec = "earliest" | "earliestLocal" | "latest" | { readonly timestampMs: number };

export interface OffsetQuery extends TopicPartition {
  /** "latest" is the high watermark, with "read_committed" the last stable offset. */
  readonly at: OffsetSpec;
}

export interface ListedOffset extends TopicPartition {
  /** -1: every record is older than `timestampMs`. */
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
  readonly errorCode: number;
}

export interface FetchPartition extends TopicPartition {
  /**
   * As metadata said. With it, and a broker from 3.1 on, a topic that was made again is refused (UNKNOWN_TOPIC_ID) in place of
   * being taken for the old one. null: not known.
   */
  readonly topicId: string | null;
  readonly fetchOffset: number;
  /** What this reader knows; the broker then tells when it is fenced. -1: nothing. */
  readonly leaderEpoch: number;
  /** The first batch comes whole even if it is larger. */
  readonly maxBytes: number;
}

export interface FetchRequest {
  readonly partitions: readonly FetchPartition[];
  readonly isolation: Isolation;
  /** How long the broker waits for `minBytes`. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Of the whole answer. */
  readonly maxBytes: number;
}

/** An entry of a fetch response's list of aborted transactions. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What a broker said of one partition. */
export interface FetchedPartition extends TopicPartition {
  /** 0, or Kafka's error code: only this partition has failed. */
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** A follower to ask from now on, or -1. */
  readonly preferredReadReplica: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches as stored, the last one perhaps cut off: a view of the answer's buffer. */
  readonly records: Uint8Array;
}

export interface OffsetCommit extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
  readonly leaderEpoch: number;
  /** For people, at most 4096 bytes. */
  readonly metadata: string;
}

export interface CommittedOffset extends TopicPartition {
  /** -1: nothing was committed. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

/** Who commits: outside of a group generation -1 and memberId "". */
export interface GroupMember {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
  /** Static membership. */
  readonly instanceId: string | null;
}

export interface PartitionError extends TopicPartition {
  readonly errorCode: number;
}

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** In the order preferred; `metadata` as the consumer protocol writes subscriptions. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

export interface JoinGroupResponse {
  readonly errorCode: number;
  readonly generation: number;
  readonly protocol: string;
  readonly leaderId: string;
  readonly memberId: string;
  /** Only for the leader. */
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly metadata: Uint8Array;
  }[];
}

export interface SyncGroupResponse {
  readonly errorCode: number;
  readonly assignment: Uint8Array;
}

/** One record to write. null is a null key or a tombstone. */
export interface RecordToProduce {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  readonly timestampMs: number;
}

export interface ProducedOffset extends TopicPartition {
  /** Of the first record. */
  readonly baseOffset: number;
}

/** Who sends the request may give up. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Requests to a cluster over authenticated connections. Answers are the protocol's: an `errorCode` in an answer is the
 * caller's to judge (`errors.ts` has the table), except in `produce`.
 *
 * Every call fails with a `SourceError` when no answer came within the request time-out (`reason` "Stalled"), the
 * connection broke ("Exhausted"; `retryable`) or the credentials were refused ("AccessDenied"). Nothing is retried here
 * but `metadata`, which asks the next known broker. Calls after `close` fail.
 */
export interface Transport {
  /** Shown in errors: kafka://brokers. */
  readonly url: string;
  /** Topics that do not exist are answered with errorCode 3 and are not created. "all": every topic. */
  metadata(topics: readonly string[] | "all", options?: CallOptions): Promise<ClusterInfo>;
  /** From the leaders in `metadata`; one answer for each query. */
  listOffsets(
    brokerId: number,
    queries: readonly OffsetQuery[],
    isolation: Isolation,
    options?: CallOptions,
  ): Promise<readonly ListedOffset[]>;
  /** A partition that the answer leaves out has nothing new. */
  fetchRaw(brokerId: number, request: FetchRequest, options?: CallOptions): Promise<readonly FetchedPartition[]>;
  /**
   * The memory of an answer's records is used for answers to come: nobody looks at them any more. Whoever does not say so
   * leaves it to the garbage collector.
   */
  reuse(answers: readonly FetchedPartition[]): void;
  /** The broker that coordinates `groupId`. @throws SourceError, retryable while there is none */
  findCoordinator(groupId: string, options?: CallOptions): Promise<number>;
  offsetCommit(
    brokerId: number,
    member: GroupMember,
    offsets: readonly OffsetCommit[],
    options?: CallOptions,
  ): Promise<readonly PartitionError[]>;
  /** null: every partition that the group has committed. */
  offsetFetch(
    brokerId: number,
    groupId: string,
    partitions: readonly TopicPartition[] | null,
    options?: CallOptions,
  ): Promise<readonly CommittedOffset[]>;
  joinGroup(brokerId: number, request: JoinGroupRequest, options?: CallOptions): Promise<JoinGroupResponse>;
  syncGroup(
    brokerId: number,
    member: GroupMember,
    assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
    options?: CallOptions,
  ): Promise<SyncGroupResponse>;
  /** @returns the error code */
  heartbeat(brokerId: number, member: GroupMember, options?: CallOptions): Promise<number>;
  /** @returns the error code */
  leaveGroup(brokerId: number, member: GroupMember, options?: CallOptions): Promise<number>;
  /**
   * Writes `records` as one uncompressed batch with acks=all and waits until every in-sync replica has it. Retries for
   * `retryTimeoutMs`: the batch may then be in the log twice, so whoever reads dead letters goes by their headers.
   *
   * @throws SourceError when it is not known to be written
   */
  produce(to: TopicPartition, records: readonly RecordToProduce[], options?: CallOptions): Promise<ProducedOffset>;
  close(): Promise<void>;
}
