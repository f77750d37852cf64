import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { UndiciHttpHandler } from "@smithy/undici-http-handler";
import { Agent, type Dispatcher } from "undici";
import { dispatchGet } from "../remote/dispatch-get.ts";
import { onSettings, type S3Settings, storageSettings } from "../settings.ts";

/** S3 closes connections that were idle for about five seconds. */
const KEEP_ALIVE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** One client for ordinary requests and one, over connections of its own, for hedges. */
export interface S3Clients {
  readonly main: S3Client;
  readonly hedge: S3Client;
  /** Of a store that is not AWS; empty for AWS. */
  readonly endpoint: string;
}

let shared: Promise<S3Clients> | undefined;
onSettings(() => {
  // Requests under way end over the old connections, which then close by themselves.
  shared = undefined;
});

/** The clients of this process for the settings that hold. */
export function s3Clients(): Promise<S3Clients> {
  shared ??= createClients();
  return shared;
}

async function createClients(): Promise<S3Clients> {
  const { s3, requestsInFlight } = storageSettings();
  const main = await createClient(s3, requestsInFlight);
  const { credentials, region } = main.config;
  const hedge = new S3Client({ ...configOf(s3, requestsInFlight), credentials, region });
  for (const client of [main, hedge]) passSignals(client);
  return { main, hedge, endpoint: endpointOf(s3) ?? "" };
}

async function createClient(s3: S3Settings, connections: number): Promise<S3Client> {
  const client = new S3Client(configOf(s3, connections));
  try {
    await client.config.region();
    return client;
  } catch {
    // Nothing names a region; the store's answer corrects a wrong one.
    client.destroy();
    return new S3Client({ ...configOf(s3, connections), region: "us-east-1" });
  }
}

function endpointOf({ endpoint }: S3Settings): string | undefined {
  return endpoint ?? process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
}

function configOf(s3: S3Settings, connections: number): S3ClientConfig {
  const { env } = process;
  const region = s3.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  const endpoint = endpointOf(s3);
  const agent = new Agent({
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // The watchdog of each request does this.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    ...(region === undefined || region === "" ? {} : { region }),
    ...(s3.endpoint === undefined ? {} : { endpoint: s3.endpoint }),
    ...(s3.profile === undefined ? {} : { profile: s3.profile }),
    ...(s3.anonymous === true ? anonymous : {}),
    forcePathStyle: s3.forcePathStyle ?? (endpoint !== undefined && endpoint !== ""),
    followRegionRedirects: true,
    cacheMiddleware: true,
    // Retries are ours: the SDK's do not cover bodies, and share a budget that bursts empty.
    maxAttempts: 1,
    // Ranges carry no checksum, and stores that are not AWS refuse what they do not know.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    logger: quiet,
    requestHandler: new UndiciHttpHandler({ dispatcher: pulling(agent) }),
  };
}

/** The SDK warns on stderr of credentials in two places, where one was chosen outright. Nothing else is logged. */
const silent = (): void => {};
const quiet = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** In the input of a command: what aborts it. */
const SIGNAL: unique symbol = Symbol("signal");
/** By the headers that are sent. */
const signals = new WeakMap<object, AbortSignal>();

/**
 * Sends a GET of an object. The signal travels in the command: with options the SDK puts its chain of thirty functions
 * together anew for each request, which takes it more than a millisecond.
 */
export function sendGet(
  client: S3Client,
  input: GetObjectCommandInput,
  signal: AbortSignal,
): Promise<GetObjectCommandOutput> {
  const withSignal: GetObjectCommandInput & { readonly [SIGNAL]: AbortSignal } = { ...input, [SIGNAL]: signal };
  return client.send(new GetObjectCommand(withSignal));
}

/** Hands signals of inputs on to the headers that are sent. */
function passSignals(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { [SIGNAL]: signal } = args.input as { readonly [SIGNAL]?: AbortSignal };
      const { headers } = args.request as { readonly headers: object };
      if (signal !== undefined) signals.set(headers, signal);
      return next(args);
    },
    { step: "deserialize", priority: "low", name: "passSignals" },
  );
}

/** Answers GETs with bodies that are pulled. The SDK's handler calls `request`, and passes the body on as it is. */
function pulling(agent: Agent): Agent {
  const request = agent.request.bind(agent) as (options: Dispatcher.RequestOptions) => Promise<unknown>;
  const pulled = (options: Dispatcher.RequestOptions): Promise<unknown> => {
    const { method, origin, path } = options;
    if (method !== "GET") return request(options);
    const headers = options.headers as Record<string, string>;
    const signal = signals.get(headers) ?? (options.signal as AbortSignal | undefined);
    return dispatchGet(agent, { origin: String(origin), path, headers, signal });
  };
  agent.request = pulled as typeof agent.request;
  return agent;
}

/** Requests without a signature. */
const anonymous: Pick<S3ClientConfig, "credentials" | "signer"> = {
  credentials: { accessKeyId: "", secretAccessKey: "" },
  signer: { sign: (request) => Promise.resolve(request) },
};
