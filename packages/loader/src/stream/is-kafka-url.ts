/** Whether `source` names topics of Kafka. */
export function isKafkaUrl(source: unknown): source is string {
  return typeof source === "string" && /^kafka:/i.test(source);
}
