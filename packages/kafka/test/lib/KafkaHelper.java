import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The reference client, kept warm for the tests: one JSON request a line on stdin, one JSON answer a line on stdout.
 * Requests of one lane (the field "lane", else the producer's name, else "admin") are answered in order; lanes run at
 * the same time. Bytes travel as base64.
 */
public final class KafkaHelper {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, KafkaProducer<byte[], byte[]>> producers = new ConcurrentHashMap<>();
  /** Transactional ids, by the names that the tests use. */
  private static final Map<String, String> transactions = new ConcurrentHashMap<>();
  private static final Map<String, ExecutorService> lanes = new ConcurrentHashMap<>();
  private static String bootstrap;
  private static Admin admin;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    PrintStream out = System.out;
    System.setOut(System.err);
    admin = Admin.create(properties(Map.of("default.api.timeout.ms", "60000", "request.timeout.ms", "15000")));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode request = JSON.readTree(line);
      String lane = request.has("lane") ? request.get("lane").asText() : request.path("producer").asText("admin");
      lanes.computeIfAbsent(lane, name -> Executors.newSingleThreadExecutor()).execute(() -> {
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", request.get("id"));
        try {
          answer.set("result", run(request));
        } catch (Throwable error) {
          Throwable cause = error instanceof ExecutionException && error.getCause() != null ? error.getCause() : error;
          answer.put("error", cause.toString());
        }
        synchronized (out) {
          out.println(answer);
          out.flush();
        }
      });
    }
    Runtime.getRuntime().halt(0);
  }

  private static Properties properties(Map<String, String> more) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.putAll(more);
    return properties;
  }

  private static Map<String, String> strings(JsonNode node) {
    Map<String, String> map = new HashMap<>();
    node.properties().forEach(entry -> map.put(entry.getKey(), entry.getValue().asText()));
    return map;
  }

  private static byte[] bytes(JsonNode node) {
    return node == null || node.isNull() || node.isMissingNode() ? null : Base64.getDecoder().decode(node.asText());
  }

  private static TopicPartition place(JsonNode request) {
    return new TopicPartition(request.get("topic").asText(), request.path("partition").asInt());
  }

  private static JsonNode run(JsonNode request) throws Exception {
    switch (request.get("op").asText()) {
      case "createTopic": return createTopic(request);
      case "deleteTopic":
        admin.deleteTopics(List.of(request.get("topic").asText())).all().get();
        return null;
      case "describeTopic": return describeTopic(request);
      case "alterConfig": return alterConfig(request);
      case "addPartitions":
        admin.createPartitions(
            Map.of(request.get("topic").asText(), NewPartitions.increaseTo(request.get("partitions").asInt())))
            .all().get();
        awaitLogs(request.get("topic").asText(), request.get("partitions").asInt());
        return null;
      case "deleteRecords":
        admin.deleteRecords(Map.of(place(request), RecordsToDelete.beforeOffset(request.get("before").asLong())))
            .all().get();
        return null;
      case "moveLeader": return moveLeader(request);
      case "offsets": return offsets(request);
      case "groupOffsets": return groupOffsets(request);
      case "scramUser":
        ScramMechanism mechanism = ScramMechanism.fromMechanismName(request.get("mechanism").asText());
        admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(request.get("user").asText(),
            new ScramCredentialInfo(mechanism, 4096), request.get("password").asText()))).all().get();
        return null;
      case "producer": return openProducer(request);
      case "begin":
        producer(request).beginTransaction();
        return null;
      case "commit":
        producer(request).commitTransaction();
        awaitMarkers(request);
        return null;
      case "abort":
        producer(request).abortTransaction();
        awaitMarkers(request);
        return null;
      case "closeProducer":
        // Without waiting: an open transaction stays open until its time-out.
        producers.remove(request.get("producer").asText()).close(Duration.ofMillis(request.path("timeoutMs").asLong(10_000)));
        return null;
      case "send": return send(request);
      case "fill": return fill(request);
      case "read": return read(request);
      case "digest": return digest(request);
      default: throw new IllegalArgumentException("unknown op " + request.get("op"));
    }
  }

  private static JsonNode createTopic(JsonNode request) throws Exception {
    String name = request.get("topic").asText();
    NewTopic topic;
    if (request.has("assignment")) {
      Map<Integer, List<Integer>> assignment = new HashMap<>();
      for (JsonNode replicas : request.get("assignment")) {
        List<Integer> list = new ArrayList<>();
        replicas.forEach(replica -> list.add(replica.asInt()));
        assignment.put(assignment.size(), list);
      }
      topic = new NewTopic(name, assignment);
    } else {
      topic = new NewTopic(name, Optional.of(request.path("partitions").asInt(1)),
          Optional.of((short) request.path("replication").asInt(1)));
    }
    admin.createTopics(List.of(topic.configs(strings(request.path("config"))))).all().get();
    awaitLogs(name, 1);
    return null;
  }

  /**
   * Created is not led, and led is not written to yet: clients would be told so for some more milliseconds, and a producer
   * whose first batch comes too early may never be in sequence again.
   */
  private static void awaitLogs(String name, int partitions) throws Exception {
    for (int attempt = 0; attempt < 600; attempt++) {
      try {
        TopicDescription description = admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
        boolean led = description.partitions().stream().allMatch(each -> each.leader() != null && !each.leader().isEmpty());
        if (led && description.partitions().size() >= partitions) {
          Map<TopicPartition, OffsetSpec> starts = new HashMap<>();
          description.partitions()
              .forEach(each -> starts.put(new TopicPartition(name, each.partition()), OffsetSpec.earliest()));
          admin.listOffsets(starts).all().get();
          return;
        }
      } catch (ExecutionException notYet) {
        // The broker that is asked may not have heard of it.
      }
      Thread.sleep(50);
    }
    throw new IllegalStateException("topic " + name + " has no leaders");
  }

  private static JsonNode describeTopic(JsonNode request) throws Exception {
    String name = request.get("topic").asText();
    TopicDescription description = admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
    ObjectNode result = JSON.createObjectNode();
    result.put("topicId", description.topicId().toString());
    ArrayNode partitions = result.putArray("partitions");
    for (TopicPartitionInfo info : description.partitions()) {
      ObjectNode each = partitions.addObject();
      each.put("partition", info.partition());
      each.put("leader", info.leader() == null ? -1 : info.leader().id());
      ArrayNode replicas = each.putArray("replicas");
      for (Node node : info.replicas()) replicas.add(node.id());
      ArrayNode isr = each.putArray("isr");
      for (Node node : info.isr()) isr.add(node.id());
    }
    return result;
  }

  private static JsonNode alterConfig(JsonNode request) throws Exception {
    boolean ofBroker = request.has("broker");
    ConfigResource resource = ofBroker
        ? new ConfigResource(ConfigResource.Type.BROKER, request.get("broker").asText())
        : new ConfigResource(ConfigResource.Type.TOPIC, request.get("topic").asText());
    List<AlterConfigOp> ops = new ArrayList<>();
    strings(request.get("config"))
        .forEach((key, value) -> ops.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
    admin.incrementalAlterConfigs(Map.of(resource, ops)).all().get();
    return null;
  }

  /** Puts `to` first among the replicas and elects it. */
  private static JsonNode moveLeader(JsonNode request) throws Exception {
    TopicPartition place = place(request);
    int to = request.get("to").asInt();
    List<Integer> replicas = new ArrayList<>(List.of(to));
    TopicDescription description =
        admin.describeTopics(List.of(place.topic())).allTopicNames().get().get(place.topic());
    for (Node node : description.partitions().get(place.partition()).replicas()) {
      if (node.id() != to) replicas.add(node.id());
    }
    admin.alterPartitionReassignments(Map.of(place, Optional.of(new NewPartitionReassignment(replicas)))).all().get();
    for (int attempt = 0; attempt < 600; attempt++) {
      if (admin.listPartitionReassignments(Set.of(place)).reassignments().get().isEmpty()) break;
      Thread.sleep(50);
    }
    try {
      admin.electLeaders(ElectionType.PREFERRED, Set.of(place)).partitions().get().values()
          .forEach(error -> error.ifPresent(each -> {
            if (!(each instanceof org.apache.kafka.common.errors.ElectionNotNeededException)) throw new RuntimeException(each);
          }));
    } catch (ExecutionException error) {
      if (!(error.getCause() instanceof org.apache.kafka.common.errors.ElectionNotNeededException)) throw error;
    }
    for (int attempt = 0; attempt < 600; attempt++) {
      Node leader = admin.describeTopics(List.of(place.topic())).allTopicNames().get().get(place.topic())
          .partitions().get(place.partition()).leader();
      if (leader != null && leader.id() == to) return null;
      Thread.sleep(50);
    }
    throw new IllegalStateException("the leader of " + place + " did not move to " + to);
  }

  /** First offset, high watermark and last stable offset of every partition. */
  private static JsonNode offsets(JsonNode request) throws Exception {
    String name = request.get("topic").asText();
    ArrayNode result = JSON.createArrayNode();
    int partitions = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size();
    for (int partition = 0; partition < partitions; partition++) {
      TopicPartition place = new TopicPartition(name, partition);
      ObjectNode each = result.addObject();
      each.put("partition", partition);
      each.put("start", admin.listOffsets(Map.of(place, OffsetSpec.earliest())).partitionResult(place).get().offset());
      each.put("highWatermark",
          admin.listOffsets(Map.of(place, OffsetSpec.latest())).partitionResult(place).get().offset());
      each.put("lastStable", admin.listOffsets(Map.of(place, OffsetSpec.latest()),
          new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(place).get().offset());
    }
    return result;
  }

  private static JsonNode groupOffsets(JsonNode request) throws Exception {
    ArrayNode result = JSON.createArrayNode();
    Map<TopicPartition, OffsetAndMetadata> offsets =
        admin.listConsumerGroupOffsets(request.get("group").asText()).partitionsToOffsetAndMetadata().get();
    offsets.forEach((place, offset) -> {
      if (offset == null) return;
      ObjectNode each = result.addObject();
      each.put("topic", place.topic());
      each.put("partition", place.partition());
      each.put("offset", offset.offset());
      each.put("metadata", offset.metadata());
    });
    return result;
  }

  private static JsonNode openProducer(JsonNode request) {
    Map<String, String> config = new HashMap<>(Map.of("acks", "all", "linger.ms", "5"));
    config.putAll(strings(request.path("config")));
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties(config), new ByteArraySerializer(), new ByteArraySerializer());
    if (config.containsKey("transactional.id")) {
      producer.initTransactions();
      transactions.put(request.get("producer").asText(), config.get("transactional.id"));
    }
    producers.put(request.get("producer").asText(), producer);
    return null;
  }

  /**
   * A commit is answered when it is decided; its markers are written later, and until then readers of what is committed do
   * not get there. A coordinator that is down meanwhile is the test's own doing.
   */
  private static void awaitMarkers(JsonNode request) throws InterruptedException {
    String id = transactions.get(request.get("producer").asText());
    long until = System.nanoTime() + 30_000_000_000L;
    while (System.nanoTime() < until) {
      try {
        TransactionState state = admin.describeTransactions(List.of(id)).description(id).get().state();
        if (Set.of(TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT, TransactionState.EMPTY)
            .contains(state)) return;
      } catch (ExecutionException error) {
        // Asked again.
      }
      Thread.sleep(5);
    }
  }

  private static KafkaProducer<byte[], byte[]> producer(JsonNode request) {
    String name = request.get("producer").asText();
    KafkaProducer<byte[], byte[]> producer = producers.get(name);
    if (producer == null) throw new IllegalArgumentException("no producer " + name);
    return producer;
  }

  private static ProducerRecord<byte[], byte[]> record(JsonNode request, JsonNode each) {
    List<Header> headers = new ArrayList<>();
    each.path("headers").forEach(pair -> headers.add(new RecordHeader(pair.get(0).asText(), bytes(pair.get(1)))));
    String topic = each.has("topic") ? each.get("topic").asText() : request.get("topic").asText();
    Integer partition = each.has("partition") ? Integer.valueOf(each.get("partition").asInt())
        : request.has("partition") ? Integer.valueOf(request.get("partition").asInt()) : null;
    Long timestamp = each.hasNonNull("timestamp") ? Long.valueOf(each.get("timestamp").asLong()) : null;
    return new ProducerRecord<>(topic, partition, timestamp, bytes(each.get("key")), bytes(each.get("value")), headers);
  }

  /** @return the offset of every record, once all are acknowledged */
  private static JsonNode send(JsonNode request) throws Exception {
    KafkaProducer<byte[], byte[]> producer = producer(request);
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (JsonNode each : request.get("records")) sent.add(producer.send(record(request, each)));
    producer.flush();
    ArrayNode offsets = JSON.createArrayNode();
    for (Future<RecordMetadata> each : sent) offsets.add(each.get().offset());
    return offsets;
  }

  /**
   * Many records made here: record i (from `from` on) goes to partition i % partitions with the key "k" + i, and with
   * a value of `size` bytes that begins with i as text and goes on with words of a fixed pseudo-random sequence (so that
   * codecs have something to do); or, given `values`, with value i % values.length.
   */
  private static JsonNode fill(JsonNode request) throws Exception {
    KafkaProducer<byte[], byte[]> producer = producer(request);
    String topic = request.get("topic").asText();
    int partitions = request.path("partitions").asInt(1);
    int size = request.path("size").asInt(100);
    long from = request.path("from").asLong(0);
    long count = request.get("count").asLong();
    boolean keys = request.path("keys").asBoolean(true);
    List<byte[]> given = new ArrayList<>();
    request.path("values").forEach(value -> given.add(bytes(value)));
    byte[] text = new byte[size + 4096];
    long state = 88172645463325252L;
    for (int at = 0; at < text.length; at++) {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      text[at] = (byte) (at % 8 < 5 ? 'a' + (int) ((state >>> 33) % 26) : at % 8 == 7 ? ' ' : 'e');
    }
    Future<RecordMetadata> last = null;
    for (long i = from; i < from + count; i++) {
      byte[] value;
      if (given.isEmpty()) {
        int start = (int) ((i * 131) % 4096);
        value = java.util.Arrays.copyOfRange(text, start, start + size);
        byte[] number = Long.toString(i).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(number, 0, value, 0, Math.min(number.length, size));
      } else {
        value = given.get((int) (i % given.size()));
      }
      byte[] key = keys ? ("k" + i).getBytes(StandardCharsets.US_ASCII) : null;
      last = producer.send(new ProducerRecord<>(topic, (int) (i % partitions), key, value));
    }
    producer.flush();
    if (last != null) last.get();
    return null;
  }

  private interface Each {
    void take(ConsumerRecord<byte[], byte[]> record);
  }

  /** Everything of one partition between `from` and `to` (default: all that is there), as the reference client sees it. */
  private static void consume(JsonNode request, Each each) {
    Map<String, String> config = new HashMap<>(Map.of("enable.auto.commit", "false", "auto.offset.reset", "none",
        "isolation.level", request.path("isolation").asText("read_committed")));
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties(config), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition place = place(request);
      consumer.assign(List.of(place));
      long start = request.has("from") ? request.get("from").asLong() : consumer.beginningOffsets(List.of(place)).get(place);
      long end = request.has("to") ? request.get("to").asLong() : consumer.endOffsets(List.of(place)).get(place);
      consumer.seek(place, start);
      while (consumer.position(place) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (record.offset() < end) each.take(record);
        }
      }
    }
  }

  private static String base64(byte[] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }

  private static JsonNode read(JsonNode request) {
    ArrayNode result = JSON.createArrayNode();
    consume(request, record -> {
      ObjectNode each = result.addObject();
      each.put("offset", record.offset());
      each.put("timestamp", record.timestamp());
      each.put("key", base64(record.key()));
      each.put("value", base64(record.value()));
      ArrayNode headers = each.putArray("headers");
      for (Header header : record.headers()) headers.addArray().add(header.key()).add(base64(header.value()));
    });
    return result;
  }

  /** Records and the SHA-256 of "offset:key:value\n" of each, with null as "-" and bytes as hex. */
  private static JsonNode digest(JsonNode request) throws Exception {
    MessageDigest hash = MessageDigest.getInstance("SHA-256");
    long[] count = {0};
    HexFormat hex = HexFormat.of();
    consume(request, record -> {
      count[0]++;
      String key = record.key() == null ? "-" : hex.formatHex(record.key());
      String value = record.value() == null ? "-" : hex.formatHex(record.value());
      hash.update((record.offset() + ":" + key + ":" + value + "\n").getBytes(StandardCharsets.US_ASCII));
    });
    ObjectNode result = JSON.createObjectNode();
    result.put("records", count[0]);
    result.put("sha256", hex.formatHex(hash.digest()));
    return result;
  }
}
