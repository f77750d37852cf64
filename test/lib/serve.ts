import { type ChildProcess, spawn } from "node:child_process";
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Message, type RecordBatch, RecordBatchReader } from "apache-arrow";

const main = fileURLToPath(new URL("../../packages/cli/dist/main.js", import.meta.url));

/** `ingest serve` as a process. */
export interface ServeProcess {
  readonly socket: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts `ingest serve` on a socket; resolves when it listens. */
export async function startServe(socket: string, args: readonly string[]): Promise<ServeProcess> {
  const child = spawn(process.execPath, [main, "serve", ...args, "--socket", socket], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal)),
  );
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve)),
    ended.then((code) => Promise.reject(new Error(`serve ended with ${code}: ${said}`))),
  ]);
  const { pid } = JSON.parse(line) as { pid: number };
  return { socket, pid, child, ended };
}

/** Asks a server; resolves with the head of its answer. */
export function ask(socket: string, path: string, method = "GET"): Promise<IncomingMessage> {
  return new Promise((resolve, fail) => {
    request({ socketPath: socket, path, method, agent: false }, resolve).once("error", fail).end();
  });
}

/** An answer with JSON. */
export async function askJson(
  socket: string,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await ask(socket, path);
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return {
    status: answer.statusCode ?? 0,
    body: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>,
  };
}

/** What a message says beside its rows. */
interface Said {
  readonly kind: string;
  readonly step?: number;
  readonly epoch?: number;
  readonly state: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
}

/** One message of a stream. */
export interface Received {
  readonly said: Said;
  readonly batch: RecordBatch;
  /** The body: buffers of the columns. */
  readonly body: Uint8Array;
}

/** The path and query of one rank's stream. */
export function streamPath(rank: number, world: number, more: Readonly<Record<string, unknown>> = {}): string {
  const query = new URLSearchParams({ rank: String(rank), world: String(world) });
  for (const [name, value] of Object.entries(more)) {
    query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return `/v1/batches?${query}`;
}

/** The stream of one rank, read message by message. */
export class ServeStream {
  readonly #answer: IncomingMessage;
  #waiting: Buffer[] = [];
  #length = 0;
  #schema: Buffer | undefined;
  readonly #chunks: AsyncIterator<Buffer>;

  private constructor(answer: IncomingMessage) {
    this.#answer = answer;
    this.#chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  static async open(socket: string, path: string): Promise<ServeStream> {
    const answer = await ask(socket, path);
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    return new ServeStream(answer);
  }

  /** Bytes that have arrived and were not asked for; there is a limit, behind which the server has to wait. */
  get bufferedBytes(): number {
    return this.#length + this.#answer.readableLength;
  }

  async #bytes(count: number): Promise<Buffer> {
    while (this.#length < count) {
      const { done, value } = await this.#chunks.next();
      if (done === true) throw new Error("the body ended inside a message");
      this.#waiting.push(value);
      this.#length += value.length;
    }
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  async #frame(): Promise<{ frame: Buffer; bodyAt: number } | undefined> {
    const head = await this.#bytes(8);
    const size = head.readInt32LE(4);
    if (size === 0) return undefined;
    const metadata = await this.#bytes(size);
    const body = await this.#bytes(Message.decode(metadata).bodyLength);
    return { frame: Buffer.concat([head, metadata, body]), bodyAt: 8 + size };
  }

  /** The next message; undefined at Arrow's end of stream. Rejects when the connection is cut. */
  async next(): Promise<Received | undefined> {
    this.#schema ??= (await this.#frame())?.frame;
    const found = await this.#frame();
    if (found === undefined) return undefined;
    const { frame, bodyAt } = found;
    const reader = RecordBatchReader.from(Buffer.concat([this.#schema as Buffer, frame]));
    const batch = reader.next().value as RecordBatch;
    const said = JSON.parse(batch.metadata.get("ingest") ?? "null") as Said;
    return { said, batch, body: frame.subarray(bodyAt) };
  }

  /** The next message that is a batch. */
  async batch(): Promise<Received> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error("no batch is left");
      if (message.said.kind === "batch") return message;
    }
  }

  /** All messages until the end of the stream. */
  async rest(): Promise<Received[]> {
    const messages: Received[] = [];
    for (let message = await this.next(); message !== undefined; message = await this.next()) messages.push(message);
    return messages;
  }

  /** Cuts the connection. */
  leave(): void {
    this.#answer.destroy();
  }
}

/** The values of a column of whole numbers. */
export function numbersOf({ batch }: Received, name: string): number[] {
  const column = batch.getChild(name);
  return Array.from({ length: batch.numRows }, (_, i) => Number(column?.get(i)));
}
