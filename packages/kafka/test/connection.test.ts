import { OptionsError } from "@ingest-ts/core";
import { describe, expect, test } from "vitest";
import { isTopicName, kafkaUrl, parseKafkaUrl } from "../src/connection.ts";

describe("parseKafkaUrl", () => {
  test.each([
    ["kafka://a:9093/events", ["a:9093"], ["events"]],
    ["kafka://a,b:9093,a:9092/x,y,x", ["a:9092", "b:9093"], ["x", "y"]],
    ["kafka://[::1]:9092/t", ["[::1]:9092"], ["t"]],
    ["kafka://127.0.0.1:1", ["127.0.0.1:1"], []],
    ["KAFKA://h/", ["h:9092"], []],
  ])("%s", (url, brokers, topics) => {
    expect(parseKafkaUrl(url)).toEqual({ brokers, topics });
  });

  test.each([
    "kafka://user:secret@a:9092/t",
    "kafka://a:9092/t@secret",
    "kafka://a:9092/t?password=secret",
    "kafka://a:9092/t#secret",
    "kafka://a:0/t",
    "kafka://a:65536/t",
    "kafka://a:x/t",
    "kafka:///t",
    "kafka://a,/t",
    "kafka://a:9092/t/u",
    "kafka://a:9092/t,",
    "kafka://a:9092/..",
    "http://a:9092/t",
  ])("refuses %s and shows no secret", (url) => {
    let message = "";
    try {
      parseKafkaUrl(url);
    } catch (error) {
      expect(error).toBeInstanceOf(OptionsError);
      message = (error as Error).message;
    }
    expect(message).not.toBe("");
    expect(message).not.toContain("secret");
  });
});

test("topics have Kafka's names", () => {
  expect(["a", "A.b_c-9", "x".repeat(249)].every(isTopicName)).toBe(true);
  expect(["", ".", "..", "a b", "é", "x".repeat(250)].some(isTopicName)).toBe(false);
});

test("the shown URL names brokers and topic", () => {
  expect(kafkaUrl(["a:1", "b:2"])).toBe("kafka://a:1,b:2");
  expect(kafkaUrl(["a:1"], "t")).toBe("kafka://a:1/t");
});
