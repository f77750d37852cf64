import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectionOf } from "../../src/kafka/kafka-options.ts";
import { placeParser } from "../../src/kafka/places.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ingest-kafka-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const brokers = ["localhost:9092"];

test("a connection without options is plain", async () => {
  expect(await connectionOf(brokers, {}, {})).toEqual({ brokers, ssl: false, sasl: undefined, rack: undefined });
});

test("user and password come from the environment, or the password from a file", async () => {
  const flags = { securityProtocol: "sasl_ssl", saslMechanism: "scram-sha-512" } as const;
  const sasl = { mechanism: "scram-sha-512", username: "ann", password: "s3cret" };
  const env = { INGEST_KAFKA_USERNAME: "ann", INGEST_KAFKA_PASSWORD: "s3cret" };
  expect(await connectionOf(brokers, flags, env)).toMatchObject({ ssl: true, sasl });
  const file = join(folder, "password");
  writeFileSync(file, "s3cret\n");
  const fromFile = { INGEST_KAFKA_USERNAME: "ann", INGEST_KAFKA_PASSWORD_FILE: file };
  expect(await connectionOf(brokers, flags, fromFile)).toMatchObject({ sasl });
});

test("an OAuth token is read again each time", async () => {
  const file = join(folder, "token");
  writeFileSync(file, "one\n");
  const flags = { securityProtocol: "sasl_plaintext", saslMechanism: "oauthbearer" } as const;
  const { sasl } = await connectionOf(brokers, flags, { INGEST_KAFKA_TOKEN_FILE: file });
  if (sasl?.mechanism !== "oauthbearer") throw new Error("no token");
  expect(await sasl.token()).toBe("one");
  writeFileSync(file, "two\n");
  expect(await sasl.token()).toBe("two");
});

test("certificates are read from their files", async () => {
  for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, name), name.toUpperCase());
  const [tlsCa, tlsCert, tlsKey] = ["ca", "cert", "key"].map((name) => join(folder, name)) as [string, string, string];
  const { ssl } = await connectionOf(brokers, { securityProtocol: "ssl", tlsCa, tlsCert, tlsKey }, {});
  expect(ssl).toEqual({ ca: "CA", cert: "CERT", key: "KEY" });
});

test.each([
  [{ saslMechanism: "plain" }, {}, /--sasl-mechanism plain without a login/],
  [{ securityProtocol: "sasl_ssl" }, {}, /INGEST_KAFKA_PASSWORD is not set/],
  [{ securityProtocol: "sasl_ssl" }, { INGEST_KAFKA_PASSWORD: "x" }, /INGEST_KAFKA_USERNAME is not set/],
  [{ tlsCa: "/dev/null" }, {}, /plaintext has no TLS/],
  [{ securityProtocol: "ssl", tlsCert: "/dev/null" }, {}, /belong together/],
] as const)("what contradicts itself is refused: %j", async (flags, env, message) => {
  await expect(connectionOf(brokers, flags, env)).rejects.toThrow(message);
});

test("places are words, offsets and times", () => {
  const parse = placeParser("--from");
  expect(parse("latest")).toBe("latest");
  expect(parse("12")).toEqual({ offset: 12 });
  expect(parse("2026-11-29T12:00:00+01:00")).toEqual({ timestampMs: Date.UTC(2026, 10, 29, 11) });
  expect(parse("2026-11-29 12:00:00")).toEqual({ timestampMs: Date.UTC(2026, 10, 29, 12) });
  for (const text of ["", "-1", "1.5", "yesterday", "2026-13-01"]) expect(() => parse(text)).toThrow(/--from is/);
});
