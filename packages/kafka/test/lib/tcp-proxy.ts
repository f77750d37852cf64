// A TCP proxy before one broker: slow, cut, silent and lying links. It knows the frames of Kafka's protocol (a length, then
// the correlation id), so that a fault can hit one answer to one kind of request.
import { once } from "node:events";
import { type AddressInfo, createServer, connect, type Socket } from "node:net";

/** What the link does to all bytes, both ways. */
interface LinkFault {
  /** Added to every byte's way. */
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
  /** Answers leave in writes of this many bytes. */
  readonly sliceBytes?: number;
  /** Bytes are taken and go nowhere; connections stay open. */
  readonly blackhole?: boolean;
  /** New connections are reset. */
  readonly refuse?: boolean;
}

/** One answer of the broker, whole. */
interface Answer {
  /** Kind of the request: 1 is Fetch, 2 ListOffsets, 3 Metadata, 17 SaslHandshake … */
  readonly apiKey: number;
  /** With its four bytes of length; not to be changed. */
  readonly frame: Buffer;
  /** Answers of this kind before this one, since the plan was set. */
  readonly index: number;
}

/** Places count bytes of the frame. */
interface AnswerFault {
  /** The connection is reset when these bytes are out. */
  readonly cutAt?: number;
  /** One bit of this byte is turned over. */
  readonly flipAt?: number;
  /** Nothing more comes, and the connection stays open. */
  readonly stallAt?: number;
}

type AnswerPlan = (answer: Answer) => AnswerFault | undefined;

export interface TcpProxy {
  readonly port: number;
  /** Connections that were made so far. */
  readonly accepted: number;
  /** Requests by kind since the plan was set. */
  readonly requests: ReadonlyMap<number, number>;
  link(fault: LinkFault): void;
  answers(plan: AnswerPlan): void;
  /** Ends all faults. */
  heal(): void;
  /** Resets every connection. */
  reset(): void;
  stop(): Promise<void>;
}

/** Gathers bytes into frames. */
class Frames {
  #held: Buffer[] = [];
  #size = 0;

  push(bytes: Buffer): Buffer[] {
    this.#held.push(bytes);
    this.#size += bytes.length;
    const frames: Buffer[] = [];
    for (;;) {
      if (this.#size < 4) return frames;
      if ((this.#held[0] as Buffer).length < 4) this.#held = [Buffer.concat(this.#held)];
      const length = (this.#held[0] as Buffer).readInt32BE(0) + 4;
      if (this.#size < length) return frames;
      const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
      frames.push(all.subarray(0, length));
      this.#held = [all.subarray(length)];
      this.#size -= length;
    }
  }
}

/** One direction of one connection: pieces leave in order, late, slowly or never. */
class Lane {
  readonly #to: Socket;
  readonly #fault: () => LinkFault;
  #last: Promise<void> = Promise.resolve();
  #free = 0;

  constructor(to: Socket, fault: () => LinkFault) {
    this.#to = to;
    this.#fault = fault;
  }

  /** Resolves when the piece left, or will never. */
  send(piece: Buffer): Promise<void> {
    const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#fault();
    this.#free = Math.max(this.#free, Date.now()) + (piece.length / bytesPerSecond) * 1000;
    const due = this.#free + latencyMs;
    this.#last = this.#last.then(async () => {
      const wait = due - Date.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await this.#write(piece);
    });
    return this.#last;
  }

  async #write(piece: Buffer): Promise<void> {
    const { sliceBytes = piece.length } = this.#fault();
    for (let at = 0; at < piece.length; at += sliceBytes) {
      if (this.#to.destroyed || this.#fault().blackhole === true) return;
      const more = this.#to.write(piece.subarray(at, at + sliceBytes));
      if (!more) await Promise.race([once(this.#to, "drain"), once(this.#to, "close")]).catch(() => {});
      // A turn of its own for each slice, or the system would join them.
      else if (sliceBytes < piece.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export async function startTcpProxy(upstreamPort: number): Promise<TcpProxy> {
  let link: LinkFault = {};
  let plan: AnswerPlan = () => undefined;
  let seen = new Map<number, number>();
  let requests = new Map<number, number>();
  let accepted = 0;
  const open = new Set<Socket>();
  const fault = (): LinkFault => link;

  const server = createServer((client) => {
    accepted++;
    if (link.refuse === true) return void client.resetAndDestroy();
    const broker = connect(upstreamPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.setNoDelay(true);
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    const kinds = new Map<number, number>();
    const asked = new Frames();
    const answered = new Frames();
    const up = new Lane(broker, fault);
    const down = new Lane(client, fault);
    client.on("data", (bytes: Buffer) => {
      if (link.blackhole === true) return;
      for (const frame of asked.push(bytes)) {
        const apiKey = frame.readInt16BE(4);
        kinds.set(frame.readInt32BE(8), apiKey);
        requests.set(apiKey, (requests.get(apiKey) ?? 0) + 1);
        void up.send(frame);
      }
    });
    broker.on("data", (bytes: Buffer) => {
      if (link.blackhole === true) return;
      for (const frame of answered.push(bytes)) {
        const apiKey = kinds.get(frame.readInt32BE(4)) ?? -1;
        kinds.delete(frame.readInt32BE(4));
        const index = seen.get(apiKey) ?? 0;
        seen.set(apiKey, index + 1);
        forward(frame, plan({ apiKey, frame, index }) ?? {}, down, client, broker);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const reset = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    get requests() {
      return requests;
    },
    link(next) {
      link = next;
    },
    answers(next) {
      plan = next;
      seen = new Map();
      requests = new Map();
    },
    heal() {
      link = {};
      plan = () => undefined;
    },
    reset,
    stop: async () => {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(frame: Buffer, fault: AnswerFault, down: Lane, client: Socket, broker: Socket): void {
  const { flipAt, cutAt, stallAt } = fault;
  let bytes = frame;
  if (flipAt !== undefined) {
    bytes = Buffer.from(frame);
    bytes[flipAt] = (bytes[flipAt] as number) ^ 1;
  }
  const end = cutAt ?? stallAt;
  if (end === undefined) return void down.send(bytes);
  broker.pause();
  void down.send(bytes.subarray(0, end)).then(() => {
    if (cutAt === undefined) return;
    // What was written has to leave before the reset, which throws away what the system still holds.
    setTimeout(() => client.resetAndDestroy(), 20);
  });
}
