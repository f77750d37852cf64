import { OptionsError } from "@ingest-ts/core";

/** TLS towards the brokers, in the words of node:tls. Keys and certificates are PEM text. */
export interface KafkaTls {
  readonly ca?: string | readonly string[] | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** The name that the broker's certificate must carry, when it is not the host's. */
  readonly servername?: string | undefined;
  /** Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How the client says who it is. Secrets appear in no error, log, metric or state. */
export type KafkaSasl =
  | {
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
      readonly username: string;
      readonly password: string;
    }
  /** `token` is called for every connection and again before the broker's deadline for the session. */
  | { readonly mechanism: "oauthbearer"; readonly token: () => Promise<string> };

/** How to reach a cluster. Everything but `brokers` has a default. */
export interface KafkaConnection {
  /** "host:port" of some brokers; the rest is learnt from them. */
  readonly brokers: readonly string[];
  /** Seen in the brokers' logs and quotas. Default "ingest". */
  readonly clientId?: string | undefined;
  /** true: TLS with the system's authorities. Default false. */
  readonly ssl?: boolean | KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
  /** With it, fetches go to a follower in the same rack where the cluster offers one. */
  readonly rack?: string | undefined;
  /** For TCP, TLS and SASL together. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** An answer later than this fails the request; a fetch may take `maxWaitMs` more. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Failures that may pass (a leader that moves, a broker that restarts) are tried again for so long. Default 120,000. */
  readonly retryTimeoutMs?: number | undefined;
}

/** What a Kafka URL names. */
export interface KafkaAddress {
  readonly brokers: readonly string[];
  /** May be empty: then the caller names topics, or asks for all. */
  readonly topics: readonly string[];
}

const DEFAULT_PORT = 9092;
const topicName = /^[A-Za-z0-9._-]{1,249}$/;

/**
 * Host and port of "host:port"; the port defaults to 9092, IPv6 is in brackets.
 *
 * @throws OptionsError
 */
export function splitBroker(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:/\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (match === null || port < 1 || port > 65_535) {
    throw new OptionsError(`"${text}" is no broker`, { remedy: 'Write "host:port".' });
  }
  return { host: match[1] ?? match[2] ?? "", port };
}

/** "host:port", whatever was left out. */
export function joinBroker({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether `name` may be a topic's (Kafka's rule). */
export function isTopicName(name: string): boolean {
  return topicName.test(name) && name !== "." && name !== "..";
}

/**
 * `kafka://host:port[,host:port…][/topic[,topic…]]`. Ports default to 9092. Brokers and topics are listed once each, in
 * the order given.
 *
 * @throws OptionsError for user-info (secrets belong in options, files or the environment), a query, a wrong name
 */
export function parseKafkaUrl(url: string): KafkaAddress {
  const match = /^kafka:\/\/([^/?#]*)(?:\/([^?#]*))?(\?[^#]*)?(#.*)?$/i.exec(url);
  if (match === null) throw new OptionsError(`not a Kafka URL`, { remedy: "Write kafka://host:port/topic." });
  const [, hosts = "", path = "", query, hash] = match;
  // Not shown: what stands before the @ may be a password.
  if (hosts.includes("@") || path.includes("@")) {
    throw new OptionsError("a Kafka URL carries no user and no password", {
      remedy: "Give them by the options or the environment.",
    });
  }
  if (query !== undefined || hash !== undefined) {
    throw new OptionsError("a Kafka URL carries brokers and topics only", {
      where: { url: `kafka://${hosts}/${path}` },
      remedy: "Give the rest as options.",
    });
  }
  const topics = path === "" ? [] : path.split(",");
  for (const topic of topics) {
    if (isTopicName(topic)) continue;
    throw new OptionsError(`"${topic}" is no topic's name`, {
      where: { url },
      remedy: "Names have up to 249 of A–Z, a–z, 0–9, '.', '_' and '-'.",
    });
  }
  return {
    brokers: [...new Set(hosts.split(",").map((text) => joinBroker(splitBroker(text))))],
    topics: [...new Set(topics)],
  };
}

/** The URL that errors, logs, metrics and state show. */
export function kafkaUrl(brokers: readonly string[], topic?: string): string {
  return `kafka://${brokers.join(",")}${topic === undefined ? "" : `/${topic}`}`;
}
