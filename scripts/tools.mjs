// Installs the S3 servers that tests talk to into `.tools`: versitygw (needs Go; minutes, once) and s3proxy (needs
// Maven; it runs on Java 17). Does nothing for what is there. `node scripts/tools.mjs versitygw` installs only that.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { capture, root, secondsSince } from "./lib/run.mjs";

const folder = join(root, ".tools");
const jar = "org.gaul:s3proxy:4.1.0:jar:jar-with-dependencies";

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
