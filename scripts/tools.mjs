// Installs the servers and tools that tests use into `.tools`: versitygw (needs Go; minutes, once), s3proxy and Apache Kafka
// (need Maven; they run on Java 17). Does nothing for what is there. `node scripts/tools.mjs kafka` installs only that.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, root, secondsSince } from "./lib/run.mjs";

const folder = join(root, ".tools");
const jar = "org.gaul:s3proxy:4.1.0:jar:jar-with-dependencies";

const kafkaVersion = "4.3.1";
const kafkaJars = [
  ["org.apache.kafka", "kafka_2.13", kafkaVersion],
  ["org.apache.kafka", "kafka-tools", kafkaVersion],
  ["org.slf4j", "slf4j-simple", "1.7.36"],
];

/** A broker, its tools and the Java client with all that they need: what Maven puts beside a project with them. */
async function installKafka() {
  const home = join(folder, "kafka");
  const dependency = ([group, artifact, version]) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>ingest</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${kafkaJars.map(dependency).join("")}</dependencies></project>\n`,
  );
  const fresh = join(home, `libs.${process.pid}`);
  const result = await capture(
    "mvn",
    ["-q", "-B", "-f", join(home, "pom.xml"), "dependency:copy-dependencies", `-DoutputDirectory=${fresh}`],
    { cwd: home },
  );
  // Whole or not at all: half a folder would look installed.
  if (result.status === 0) renameSync(fresh, join(home, "libs"));
  else rmSync(fresh, { recursive: true, force: true });
  return result;
}

/** The linter of metrics, out of Debian's package without installing the server that it is part of. */
async function installPromtool() {
  const home = join(folder, `promtool.${process.pid}`);
  mkdirSync(home, { recursive: true });
  const script =
    "(apt-get download prometheus || (apt-get update -q && apt-get download prometheus)) && dpkg -x prometheus_*.deb . && mv usr/bin/promtool ../bin/promtool";
  const result = await capture("bash", ["-c", script], { cwd: home });
  rmSync(home, { recursive: true, force: true });
  return result;
}

const tools = {
  versitygw: {
    file: join(folder, "bin", "versitygw"),
    install: () =>
      capture("go", ["install", "github.com/versity/versitygw/cmd/versitygw@v1.8.0"], {
        env: { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "" },
      }),
  },
  s3proxy: {
    file: join(folder, "jars", "s3proxy-4.1.0-jar-with-dependencies.jar"),
    install: () =>
      capture("mvn", ["-q", "-B", "dependency:copy", `-Dartifact=${jar}`, `-DoutputDirectory=${join(folder, "jars")}`]),
  },
  promtool: { file: join(folder, "bin", "promtool"), install: installPromtool },
  kafka: { file: join(folder, "kafka", "libs", `kafka-tools-${kafkaVersion}.jar`), install: installKafka },
};

mkdirSync(join(folder, "bin"), { recursive: true });
mkdirSync(join(folder, "jars"), { recursive: true });
const asked = process.argv.slice(2);
let failed = 0;
for (const [name, { file, install }] of Object.entries(tools)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  if (existsSync(file)) continue;
  const started = performance.now();
  const { status, output } = await install();
  if (status === 0 && existsSync(file)) console.log(`${name}: installed in ${secondsSince(started)}`);
  else {
    failed++;
    console.error(`${name}: could not be installed (exit ${status})\n${output}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
