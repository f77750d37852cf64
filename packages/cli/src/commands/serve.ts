import { explainWorld, OptionsError, worldText } from "@ingest-ts/core";
import type { BatchServer, ServeAddress } from "@ingest-ts/loader/serve";
import { type Command, Option } from "commander";
import {
  addDataOptions,
  columnsOption,
  type InputFlags,
  noteSkippedFiles,
  readInputFlags,
  whereOption,
} from "../input/options.ts";
import { addOrderOptions, countParser, type OrderFlags, orderOf } from "../input/order-options.ts";
import { plural } from "../output/quantities.ts";
import { secretsHelp } from "../kafka/kafka-options.ts";
import { payloadsHelp } from "../kafka/payload-options.ts";
import { addStreamOptions, type StreamFlags, streamOptionsOf } from "../kafka/stream-options.ts";
import { isKafkaUri } from "../kafka/topic-rows.ts";
import { exitCodes, Interrupted } from "../process/exit-codes.ts";
import { version } from "../process/version.ts";

const examples = `
Examples:
  ingest serve flights/ --batch 4096 --socket run/ingest.sock
  ingest serve flights/ --batch 4096 --port 8815 --world 8 --epochs inf
  ingest serve kafka://localhost:9092/flights --value-as json \\
    --seals run/seals --batch 256 --socket run/ingest.sock
  curl --unix-socket run/ingest.sock \\
    'http://localhost/v1/batches?rank=0&world=2' > rank0.arrows
`;

const explanation = `
Each rank reads one Arrow stream (see docs/serve.md; in Python:
ingest_client.connect). When it listens it prints one line of JSON. The place in
the data is the clients' to keep: a server that was stopped or killed is started
again with the same options. Topics of Kafka are served by sealed windows
(docs/streams.md): an epoch is a window. SIGTERM and Ctrl-C end every stream
behind the batch that is being sent; a second one ends the process at once.`;

interface ServeFlags extends InputFlags, OrderFlags, StreamFlags {
  readonly socket?: string;
  readonly port?: number;
  readonly world?: number;
  readonly epochs?: number;
  readonly seed?: number;
}

function epochsParser(text: string): number {
  return text === "inf" ? Infinity : countParser("--epochs")(text);
}

/** Adds `ingest serve` to the program. */
export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("hand batches to trainers in any language, over HTTP and Arrow")
    .argument("<uri...>", "files, folders or patterns, or topics of Kafka")
    .addOption(new Option("--socket <path>", "listen on a unix socket"))
    .addOption(
      new Option("--port <n>", "listen on a port of 127.0.0.1; 0 takes a free one").argParser(countParser("--port", 0)),
    )
    .addOption(new Option("--world <n>", "number of ranks, unless a client says it").argParser(countParser("--world")))
    .addOption(
      new Option("--epochs <n>", "how often all rows are read, or inf (default 1; of topics inf)").argParser(
        epochsParser,
      ),
    )
    .addOption(new Option("--seed <n>", "of the order (default 0)").argParser(countParser("--seed", 0)));
  addDataOptions(addStreamOptions(addOrderOptions(command)).addOption(columnsOption()).addOption(whereOption()))
    .addHelpText("before", examples)
    .addHelpText("after", explanation + payloadsHelp + secretsHelp)
    .action((uris: string[], flags: ServeFlags) => serveUntilStopped(uris, flags));
}

function addressOf({ socket, port }: ServeFlags): ServeAddress {
  if (socket !== undefined && port === undefined) return { socket };
  if (port !== undefined && socket === undefined) return { port };
  throw new OptionsError(
    socket === undefined ? "there is no --socket and no --port" : "there are both --socket and --port",
    {
      remedy: "Give one of them.",
    },
  );
}

async function serveUntilStopped(uris: readonly string[], flags: ServeFlags): Promise<void> {
  const address = addressOf(flags);
  const order = orderOf(flags);
  const stopping = new Stopping();
  const { world, epochs, seed } = flags;
  const input = await readInputFlags(flags, stopping.opening);
  const { serve } = await import("@ingest-ts/loader/serve");
  process.stderr.write(`world: ${world === undefined ? clientsWorld() : `${plural(world, "rank")} (--world)`}\n`);
  const common = { ...input, ...order, address, epochs, seed, worldSize: world };
  const topic = topicOf(uris, flags);
  const source = topic === undefined ? { source: uris } : { source: topic, kafka: await streamOptionsOf(flags) };
  const server = await serve({ ...common, ...source }, version());
  stopping.opened();
  noteSkippedFiles(server.skipped);
  process.stdout.write(`${JSON.stringify(readyLine(server))}\n`);
  await stopping.asked;
  await server.drain();
}

/** The URL of a stream; undefined for files. @throws OptionsError for both at once */
function topicOf(uris: readonly string[], { seals }: ServeFlags): string | undefined {
  const [first] = uris;
  if (!uris.some(isKafkaUri)) {
    if (seals === undefined) return undefined;
    throw new OptionsError("--seals is of topics of Kafka", { remedy: "Leave it out." });
  }
  if (uris.length === 1) return first;
  throw new OptionsError("topics of Kafka are served by themselves", {
    remedy: "Name one URL; it may have several topics: kafka://host:port/a,b.",
  });
}

/** Ranks are the clients' to say; what this process is told of itself only helps to see who started it. */
function clientsWorld(): string {
  const { world } = explainWorld(process.env);
  const own = world === undefined || world.source === "default" ? "" : `${worldText(world)}, and `;
  return `${own}each client says its own`;
}

function readyLine({ address, socket, port }: BatchServer): object {
  return { ready: true, protocol: 1, address, socket, port, pid: process.pid };
}

/** The first SIGINT or SIGTERM asks to stop, the second one ends the process. */
class Stopping {
  /** Resolves when a signal came, once everything was opened. */
  readonly asked: Promise<void>;
  readonly #opening = new AbortController();
  #isOpen = false;

  constructor() {
    let resolve = (): void => {};
    this.asked = new Promise((done) => (resolve = done));
    let signals = 0;
    const stop = (name: NodeJS.Signals): void => {
      if (signals++ > 0) process.exit(name === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
      // Streams go on reading until they are drained: only what is being opened stops at once.
      if (!this.#isOpen) this.#opening.abort(new Interrupted(name));
      resolve();
    };
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, stop);
  }

  /** Aborted by a signal that comes before `opened()`. */
  get opening(): AbortSignal {
    return this.#opening.signal;
  }

  opened(): void {
    this.#isOpen = true;
  }
}
