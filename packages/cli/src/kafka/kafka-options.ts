import { OptionsError } from "@ingest-ts/core";
import type { Isolation, KafkaConnection, KafkaSasl, KafkaTls } from "@ingest-ts/kafka";
import { type Command, Option } from "commander";
import { readFileText } from "../input/read-text.ts";

/** What commander hands over for the options of a connection to Kafka. */
export interface KafkaFlags {
  readonly securityProtocol?: "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl";
  readonly saslMechanism?: KafkaSasl["mechanism"];
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly rack?: string;
  readonly isolation?: Isolation;
}

/** Where secrets come from; they are never options, since others can see those. */
export const secretVariables: readonly string[] = [
  "INGEST_KAFKA_USERNAME",
  "INGEST_KAFKA_PASSWORD",
  "INGEST_KAFKA_PASSWORD_FILE",
  "INGEST_KAFKA_TOKEN_FILE",
];

/** Of the help of every command that connects. */
export const secretsHelp = `
User and password are taken from INGEST_KAFKA_USERNAME and INGEST_KAFKA_PASSWORD
(or a file named by INGEST_KAFKA_PASSWORD_FILE), an OAuth token from the file
named by INGEST_KAFKA_TOKEN_FILE, which is read again for every connection.`;

/** Adds the options of `KafkaFlags`. */
export function addKafkaOptions(command: Command): Command {
  const options = [
    new Option("--security-protocol <name>", "how brokers are spoken to (default plaintext)").choices([
      "plaintext",
      "ssl",
      "sasl_plaintext",
      "sasl_ssl",
    ]),
    new Option("--sasl-mechanism <name>", "how to log in").choices([
      "plain",
      "scram-sha-256",
      "scram-sha-512",
      "oauthbearer",
    ]),
    new Option("--tls-ca <file>", "certificates of authorities to trust (PEM)"),
    new Option("--tls-cert <file>", "certificate of this client (PEM)"),
    new Option("--tls-key <file>", "its key (PEM)"),
    new Option("--rack <name>", "fetch from followers in this rack where there are some"),
    new Option("--isolation <level>", "leave records of aborted and open transactions out, or not").choices([
      "read_committed",
      "read_uncommitted",
    ]),
  ];
  for (const option of options) command.addOption(option.helpGroup("Kafka:"));
  return command;
}

/** A connection from options and environment. @throws OptionsError when they contradict each other, or a secret is missing */
export async function connectionOf(
  brokers: readonly string[],
  flags: KafkaFlags,
  env: NodeJS.ProcessEnv,
): Promise<KafkaConnection> {
  const protocol = flags.securityProtocol ?? "plaintext";
  const encrypted = protocol.endsWith("ssl");
  const certified = [flags.tlsCa, flags.tlsCert, flags.tlsKey].some((path) => path !== undefined);
  if (certified && !encrypted) {
    throw new OptionsError(`--security-protocol ${protocol} has no TLS, but certificates are given`, {
      remedy: "Use ssl or sasl_ssl, or leave them out.",
    });
  }
  const sasl = protocol.startsWith("sasl") ? await saslOf(flags, env) : undefined;
  if (sasl === undefined && flags.saslMechanism !== undefined) {
    throw new OptionsError(`--sasl-mechanism ${flags.saslMechanism} without a login`, {
      remedy: "Use --security-protocol sasl_ssl (or sasl_plaintext).",
    });
  }
  return { brokers, ssl: certified ? await tlsOf(flags) : encrypted, sasl, rack: flags.rack };
}

async function tlsOf({ tlsCa, tlsCert, tlsKey }: KafkaFlags): Promise<KafkaTls> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new OptionsError("a client's certificate and its key belong together", {
      remedy: "Give --tls-cert and --tls-key.",
    });
  }
  const textOf = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : readFileText(path);
  const [ca, cert, key] = await Promise.all([textOf(tlsCa), textOf(tlsCert), textOf(tlsKey)]);
  return { ca, cert, key };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new OptionsError(`${name} is not set`, { remedy: "Set it: the security protocol asks for a login." });
}

async function saslOf({ saslMechanism }: KafkaFlags, env: NodeJS.ProcessEnv): Promise<KafkaSasl> {
  const mechanism = saslMechanism ?? "plain";
  if (mechanism === "oauthbearer") {
    const path = required(env, "INGEST_KAFKA_TOKEN_FILE");
    return { mechanism, token: async () => (await readFileText(path)).trim() };
  }
  const file = env["INGEST_KAFKA_PASSWORD_FILE"];
  const password =
    file === undefined || file === "" ? required(env, "INGEST_KAFKA_PASSWORD") : (await readFileText(file)).trimEnd();
  return { mechanism, username: required(env, "INGEST_KAFKA_USERNAME"), password };
}
