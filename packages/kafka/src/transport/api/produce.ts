import type { TopicPartition } from "../types.ts";
import type { Api } from "./api.ts";

interface ProduceRequest {
  readonly to: TopicPartition;
  readonly batch: Uint8Array;
  readonly timeoutMs: number;
}

interface ProduceResponse {
  readonly errorCode: number;
  readonly baseOffset: number;
}

/** Produce of one batch to one partition, acks=all. */
export const produceApi: Api<ProduceRequest, ProduceResponse> = {
  name: "Produce",
  key: 0,
  versions: [7],
  encode(writer, { to, batch, timeoutMs }) {
    writer
      .string(null) // no transaction
      .int16(-1)
      .int32(timeoutMs)
      .array([to], ({ topic, partition }) =>
        writer.string(topic).array([partition], (index) => writer.int32(index).bytes(batch)),
      );
  },
  decode(reader) {
    const topics = reader.array(() => {
      reader.string();
      return reader.array(() => {
        reader.int32();
        const errorCode = reader.int16();
        const baseOffset = reader.int64();
        reader.int64(); // log-append time
        reader.int64(); // log start offset
        return { errorCode, baseOffset };
      });
    });
    reader.int32(); // throttle time
    return topics.flat()[0] ?? { errorCode: -1, baseOffset: -1 };
  },
};

interface ProducerIdentity {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly epoch: number;
}

/** InitProducerId of an idempotent producer without transactions. */
export const initProducerIdApi: Api<undefined, ProducerIdentity> = {
  name: "InitProducerId",
  key: 22,
  versions: [1],
  encode(writer) {
    writer.string(null).int32(0);
  },
  decode(reader) {
    reader.int32();
    return { errorCode: reader.int16(), producerId: reader.bigint(), epoch: reader.int16() };
  },
};
