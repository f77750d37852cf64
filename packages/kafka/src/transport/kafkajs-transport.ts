import { OptionsError, SourceError } from "@ingest-ts/core";
import { type KafkaConnection, joinBroker, kafkaUrl, splitBroker } from "../connection.ts";
import type { Api } from "./api/api.ts";
import { fetchApi } from "./api/fetch.ts";
import { findCoordinatorApi, heartbeatApi, joinGroupApi, leaveGroupApi, syncGroupApi } from "./api/group.ts";
import { metadataApi } from "./api/metadata.ts";
import { listOffsetsApi, offsetCommitApi, offsetFetchApi } from "./api/offsets.ts";
import { BrokerLink } from "./broker-link.ts";
import { codeError } from "./failures.ts";
import { FrameMemory } from "./frame-memory.ts";
import { IdempotentProducer } from "./producer.ts";
import type {
  CallOptions,
  ClusterInfo,
  CommittedOffset,
  FetchedPartition,
  FetchRequest,
  GroupMember,
  Isolation,
  JoinGroupRequest,
  JoinGroupResponse,
  ListedOffset,
  OffsetCommit,
  OffsetQuery,
  PartitionError,
  ProducedOffset,
  RecordToProduce,
  SyncGroupResponse,
  TopicPartition,
  Transport,
} from "./types.ts";

const DEFAULT_CONNECT_MS = 10_000;
const DEFAULT_REQUEST_MS = 30_000;

/**
 * Requests that wait long have a connection of their own, since a broker answers those of one connection in turn: a fetch
 * waits for records, a join for the other members.
 */
type Purpose = "control" | "fetch" | "group";

class KafkaJsTransport implements Transport {
  readonly url: string;
  readonly #connection: KafkaConnection;
  readonly #connectTimeoutMs: number;
  readonly #requestTimeoutMs: number;
  readonly #links = new Map<string, BrokerLink>();
  readonly #addresses = new Map<number, { readonly host: string; readonly port: number }>();
  readonly #memory = new FrameMemory();
  readonly #producer: IdempotentProducer;
  #turn = 0;
  #closed = false;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.url = kafkaUrl(connection.brokers);
    this.#connectTimeoutMs = connection.connectTimeoutMs ?? DEFAULT_CONNECT_MS;
    this.#requestTimeoutMs = connection.requestTimeoutMs ?? DEFAULT_REQUEST_MS;
    const ask = <Q, R>(brokerId: number, api: Api<Q, R>, request: Q, options?: CallOptions): Promise<R> =>
      this.#call(brokerId, "control", api, request, options);
    this.#producer = new IdempotentProducer(this, ask, this.#requestTimeoutMs, connection.retryTimeoutMs);
  }

  #link(host: string, port: number, purpose: Purpose): BrokerLink {
    if (this.#closed) throw new SourceError("the transport is closed", { where: { url: this.url } });
    const name = `${purpose} ${host}:${port}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new BrokerLink(host, port, this.#connection, this.#connectTimeoutMs, this.url, this.#memory);
      this.#links.set(name, link);
    }
    return link;
  }

  async #call<Q, R>(
    brokerId: number,
    purpose: Purpose,
    api: Api<Q, R>,
    request: Q,
    options?: CallOptions,
    extraMs = 0,
  ): Promise<R> {
    if (!this.#addresses.has(brokerId)) await this.metadata([], options);
    const address = this.#addresses.get(brokerId);
    if (address === undefined) {
      throw new SourceError(`the cluster has no broker ${brokerId} now`, {
        where: { url: this.url },
        reason: "Exhausted",
        retryable: true,
      });
    }
    const link = this.#link(address.host, address.port, purpose);
    return link.call(api, request, { timeoutMs: this.#requestTimeoutMs + extraMs, signal: options?.signal });
  }

  /** Known brokers first, then those given; each call begins at the next one, so that no broker is asked for all. */
  #candidates(): { readonly host: string; readonly port: number }[] {
    const all = [...this.#addresses.values(), ...this.#connection.brokers.map(splitBroker)];
    const unique = [...new Map(all.map((address) => [`${address.host}:${address.port}`, address])).values()];
    const start = this.#turn++ % unique.length;
    return [...unique.slice(start), ...unique.slice(0, start)];
  }

  async metadata(topics: readonly string[] | "all", options?: CallOptions): Promise<ClusterInfo> {
    let failure: unknown;
    for (const { host, port } of this.#candidates()) {
      try {
        const limit = { timeoutMs: this.#requestTimeoutMs, signal: options?.signal };
        const info = await this.#link(host, port, "control").call(metadataApi, topics, limit);
        if (info.brokers.length === 0) throw codeError(8, "Metadata", this.url); // BROKER_NOT_AVAILABLE
        for (const { id, host, port } of info.brokers) this.#addresses.set(id, { host, port });
        return info;
      } catch (error) {
        if (!(error instanceof SourceError) || (!error.retryable && error.reason !== "Refused")) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async listOffsets(
    brokerId: number,
    queries: readonly OffsetQuery[],
    isolation: Isolation,
    options?: CallOptions,
  ): Promise<readonly ListedOffset[]> {
    return this.#call(brokerId, "control", listOffsetsApi, { queries, isolation }, options);
  }

  async fetchRaw(brokerId: number, request: FetchRequest, options?: CallOptions): Promise<readonly FetchedPartition[]> {
    const full = { ...request, rack: this.#connection.rack ?? "" };
    const answer = await this.#call(brokerId, "fetch", fetchApi, full, options, request.maxWaitMs);
    if (answer.errorCode !== 0) throw codeError(answer.errorCode, "Fetch", this.url);
    return answer.partitions;
  }

  reuse(answers: readonly FetchedPartition[]): void {
    for (const { records } of answers) this.#memory.give(records);
  }

  async findCoordinator(groupId: string, options?: CallOptions): Promise<number> {
    let failure: unknown;
    for (const { host, port } of this.#candidates()) {
      try {
        const limit = { timeoutMs: this.#requestTimeoutMs, signal: options?.signal };
        const answer = await this.#link(host, port, "control").call(findCoordinatorApi, groupId, limit);
        if (answer.errorCode !== 0) throw codeError(answer.errorCode, "FindCoordinator", this.url);
        this.#addresses.set(answer.brokerId, answer);
        return answer.brokerId;
      } catch (error) {
        if (!(error instanceof SourceError) || !error.retryable) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async offsetCommit(
    brokerId: number,
    member: GroupMember,
    offsets: readonly OffsetCommit[],
    options?: CallOptions,
  ): Promise<readonly PartitionError[]> {
    return this.#call(brokerId, "control", offsetCommitApi, { member, offsets }, options);
  }

  async offsetFetch(
    brokerId: number,
    groupId: string,
    partitions: readonly TopicPartition[] | null,
    options?: CallOptions,
  ): Promise<readonly CommittedOffset[]> {
    const answer = await this.#call(brokerId, "control", offsetFetchApi, { groupId, partitions }, options);
    if (answer.errorCode !== 0) throw codeError(answer.errorCode, "OffsetFetch", this.url);
    return answer.offsets;
  }

  async joinGroup(brokerId: number, request: JoinGroupRequest, options?: CallOptions): Promise<JoinGroupResponse> {
    return this.#call(brokerId, "group", joinGroupApi, request, options, request.rebalanceTimeoutMs);
  }

  async syncGroup(
    brokerId: number,
    member: GroupMember,
    assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
    options?: CallOptions,
  ): Promise<SyncGroupResponse> {
    return this.#call(brokerId, "group", syncGroupApi, { member, assignments }, options);
  }

  async heartbeat(brokerId: number, member: GroupMember, options?: CallOptions): Promise<number> {
    return this.#call(brokerId, "group", heartbeatApi, member, options);
  }

  async leaveGroup(brokerId: number, member: GroupMember, options?: CallOptions): Promise<number> {
    return this.#call(brokerId, "group", leaveGroupApi, member, options);
  }

  async produce(
    to: TopicPartition,
    records: readonly RecordToProduce[],
    options?: CallOptions,
  ): Promise<ProducedOffset> {
    return this.#producer.produce(to, records, options);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    return Promise.resolve();
  }
}

function positive(connection: KafkaConnection, name: "connectTimeoutMs" | "requestTimeoutMs" | "retryTimeoutMs"): void {
  const value = connection[name];
  if (value === undefined || (Number.isFinite(value) && value > 0)) return;
  throw new OptionsError(`${name} is ${value}`, { remedy: "Give a number of milliseconds above 0." });
}

/**
 * A transport over kafkajs' connections; nothing is sent before the first call.
 *
 * @throws OptionsError
 */
export function openTransport(connection: KafkaConnection): Transport {
  if (connection.brokers.length === 0) throw new OptionsError("no brokers are given", { remedy: 'Give "host:port".' });
  for (const name of ["connectTimeoutMs", "requestTimeoutMs", "retryTimeoutMs"] as const) positive(connection, name);
  const brokers = connection.brokers.map((text) => joinBroker(splitBroker(text)));
  return new KafkaJsTransport({ ...connection, brokers });
}
