import { OptionsError } from "@ingest-ts/core";
import type { ClusterInfo, Isolation, KafkaAddress, PartitionInfo, Transport } from "@ingest-ts/kafka";
import { type Command, Option } from "commander";
import { committedOf, offsetsAt, type OffsetTable, partitionKey, partitionsOf } from "../kafka/cluster.ts";
import { addKafkaOptions, connectionOf, type KafkaFlags, secretsHelp } from "../kafka/kafka-options.ts";
import { gridLines } from "../output/grid.ts";
import { count, plural } from "../output/quantities.ts";
import { openOutput, terminalWidth } from "../output/rows-out.ts";
import { visible } from "../output/visible.ts";

const examples = `
Examples:
  ingest kafka inspect kafka://localhost:9092                 brokers and topics
  ingest kafka inspect kafka://localhost:9092/flights         its partitions
  ingest kafka lag kafka://localhost:9092/flights --group train
`;

const lagExplanation = `
Lag is the end less the commit: up to the last stable offset with --isolation
read_committed (the default), else to the high watermark. A partition without a
commit counts from its start. --json prints {group, topics: [{topic, partition,
committed, end, lag}], lag} on one line.`;

interface LagFlags extends KafkaFlags {
  readonly group: string;
  readonly json?: boolean;
}

interface InspectFlags extends KafkaFlags {
  readonly json?: boolean;
}

/** Adds `ingest kafka` with `lag` and `inspect` to the program. */
export function registerKafka(program: Command): void {
  const kafka = program
    .command("kafka")
    .description("look at a cluster of Kafka: brokers, topics, how far a group is behind")
    .addHelpText("before", examples);
  addKafkaOptions(
    kafka
      .command("lag")
      .description("print how far a group is behind, by partition")
      .argument("<uri>", "kafka://host:port[,host:port]/topic[,topic]")
      .addOption(new Option("--group <name>", "whose commits").makeOptionMandatory())
      .option("--json", "for programs"),
  )
    .addHelpText("after", lagExplanation + secretsHelp)
    .action((uri: string, flags: LagFlags) => withTransport(uri, flags, (...opened) => lag(...opened, flags)));
  addKafkaOptions(
    kafka
      .command("inspect")
      .description("print brokers, topics and partitions")
      .argument("<uri>", "kafka://host:port[,host:port][/topic[,topic]]")
      .option("--json", "for programs"),
  )
    .addHelpText("after", secretsHelp)
    .action((uri: string, flags: InspectFlags) => withTransport(uri, flags, (...opened) => inspect(...opened, flags)));
}

async function withTransport(
  uri: string,
  flags: KafkaFlags,
  body: (transport: Transport, address: KafkaAddress) => Promise<string>,
): Promise<void> {
  const { openTransport, parseKafkaUrl } = await import("@ingest-ts/kafka");
  const address = parseKafkaUrl(uri);
  const transport = openTransport(await connectionOf(address.brokers, flags, process.env));
  let text: string;
  try {
    text = await body(transport, address);
  } finally {
    await transport.close();
  }
  const sink = await openOutput(undefined);
  await sink.write(new TextEncoder().encode(text));
  await sink.close();
}

interface LagRow {
  readonly topic: string;
  readonly partition: number;
  /** null: nothing is committed. */
  readonly committed: number | null;
  readonly end: number;
  readonly lag: number;
}

async function lag(transport: Transport, { topics }: KafkaAddress, flags: LagFlags): Promise<string> {
  if (topics.length === 0)
    throw new OptionsError("the URL names no topic", { remedy: "Write kafka://host:port/topic." });
  const isolation: Isolation = flags.isolation ?? "read_committed";
  const partitions = await partitionsOf(transport, topics);
  const committed = await committedOf(transport, flags.group, partitions);
  const [starts, ends] = await Promise.all([
    offsetsAt(transport, partitions, "earliest", isolation),
    offsetsAt(transport, partitions, "latest", isolation),
  ]);
  const rows = partitions.map((one): LagRow => {
    const offset = committed.get(partitionKey(one));
    const end = at(ends, one);
    const { topic, partition } = one;
    return { topic, partition, committed: offset ?? null, end, lag: Math.max(0, end - (offset ?? at(starts, one))) };
  });
  const total = rows.reduce((sum, row) => sum + row.lag, 0);
  if (flags.json === true) return `${JSON.stringify({ group: flags.group, topics: rows, lag: total })}\n`;
  const columns = ["topic", "partition", "committed", "end", "lag"].map((title, i) => ({ title, right: i > 0 }));
  const cells = rows.map((row) => [
    row.topic,
    String(row.partition),
    row.committed === null ? "none" : count(row.committed),
    count(row.end),
    count(row.lag),
  ]);
  const lines = gridLines(columns, cells, terminalWidth());
  return `${[...lines, "", `group ${visible(flags.group)}: ${plural(total, "record")} behind`].join("\n")}\n`;
}

function at(table: OffsetTable, one: PartitionInfo): number {
  return table.get(partitionKey(one)) ?? 0;
}

async function inspect(transport: Transport, { topics }: KafkaAddress, flags: InspectFlags): Promise<string> {
  const cluster = await transport.metadata(topics.length === 0 ? "all" : topics);
  if (topics.length === 0) return flags.json === true ? `${JSON.stringify(cluster)}\n` : clusterText(cluster);
  const partitions = await partitionsOf(transport, topics);
  const isolation = flags.isolation ?? "read_committed";
  const [starts, stable, ends] = await Promise.all([
    offsetsAt(transport, partitions, "earliest", isolation),
    offsetsAt(transport, partitions, "latest", "read_committed"),
    offsetsAt(transport, partitions, "latest", "read_uncommitted"),
  ]);
  const rows = partitions.map((one) => ({
    ...one,
    earliest: at(starts, one),
    lastStableOffset: at(stable, one),
    highWatermark: at(ends, one),
  }));
  if (flags.json === true) {
    const { clusterId, controllerId, brokers } = cluster;
    return `${JSON.stringify({ clusterId, controllerId, brokers, partitions: rows })}\n`;
  }
  const titles = ["topic", "partition", "leader", "in sync", "earliest", "stable", "end"];
  const columns = titles.map((title, i) => ({ title, right: i > 0 }));
  const cells = rows.map((row) => [
    row.topic,
    String(row.partition),
    row.leader < 0 ? "none" : String(row.leader),
    `${row.inSync.length}/${row.replicas.length}`,
    count(row.earliest),
    count(row.lastStableOffset),
    count(row.highWatermark),
  ]);
  return `${gridLines(columns, cells, terminalWidth()).join("\n")}\n`;
}

function clusterText({ clusterId, controllerId, brokers, topics }: ClusterInfo): string {
  const lines = [`cluster ${clusterId ?? "without an id"}, ${plural(brokers.length, "broker")}`];
  for (const { id, host, port, rack } of brokers) {
    lines.push(
      `  ${id}  ${visible(host)}:${port}${rack === null ? "" : ` rack ${visible(rack)}`}${id === controllerId ? "  controller" : ""}`,
    );
  }
  const shown = topics.filter(({ internal }) => !internal).sort((a, b) => (a.name < b.name ? -1 : 1));
  lines.push("", plural(shown.length, "topic"));
  for (const { name, partitions } of shown) lines.push(`  ${visible(name)}  ${plural(partitions.length, "partition")}`);
  return `${lines.join("\n")}\n`;
}
