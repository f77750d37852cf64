// The files in deploy/ against the program: whatever they name exists, and what is said twice is the same.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { applySettings, readConfig } from "../src/consume/config.ts";
import { addConsumeOptions, type ConsumeFlags } from "../src/consume/flags.ts";
import { addKafkaOptions, secretVariables } from "../src/kafka/kafka-options.ts";
import { addPayloadOptions } from "../src/kafka/payload-options.ts";
import { ConsumerMetrics } from "../src/ops/metrics.ts";
import { listenForOps } from "../src/ops/ops-server.ts";
import { exitCodes } from "../src/process/exit-codes.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const bases = ["consumer", "batch"] as const;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

interface Pod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly Container[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template?: Pod;
    readonly completions?: number;
    readonly podFailurePolicy?: {
      readonly rules: readonly {
        readonly onExitCodes?: { readonly containerName: string; readonly values: number[] };
      }[];
    };
    readonly scaleTargetRef?: { readonly name: string };
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[];
  };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly images: readonly { readonly name: string }[];
}

function load(base: string) {
  const folder = join(root, "deploy", "k8s", base);
  const kustomization = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as Kustomization;
  const manifests = kustomization.resources.flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), "utf8")).map((document) => document.toJS() as Manifest),
  );
  const pod = manifests.flatMap(({ spec }) => spec.template ?? [])[0] as Pod;
  return { folder, kustomization, manifests, pod, container: pod.spec.containers[0] as Container };
}

async function flagsOf(path: string): Promise<ConsumeFlags> {
  const command = addPayloadOptions(addKafkaOptions(addConsumeOptions(new Command("consume"))));
  applySettings(command, { file: await readConfig(path), path, env: {} });
  return command.opts<ConsumeFlags>();
}

describe.each(bases)("deploy/k8s/%s", (base) => {
  const { folder, kustomization, manifests, pod, container } = load(base);
  const config = join(folder, "consume.yaml");

  test("lists every file that is there", () => {
    const listed = [...kustomization.resources, ...kustomization.configMapGenerator.flatMap(({ files }) => files)];
    expect([...listed, "kustomization.yaml"].sort()).toEqual(readdirSync(folder).sort());
  });

  test("gives options that the command has, and values that it takes", async () => {
    const flags = await flagsOf(config);
    expect(flags.to).toMatch(/^s3:\/\//);
    expect(flags.opsHost).toBe("0.0.0.0");
  });

  test("mounts the configuration where the command looks for it", () => {
    const [word, flag, path] = container.args;
    expect([word, flag]).toEqual(["consume", "--config"]);
    const volume = pod.spec.volumes.find(({ configMap }) => configMap !== undefined);
    const generated = kustomization.configMapGenerator[0];
    expect(volume?.configMap?.name).toBe(generated?.name);
    const mount = container.volumeMounts.find(({ name }) => name === volume?.name);
    expect(`${mount?.mountPath}/${generated?.files[0]}`).toBe(path);
  });

  test("has one port everywhere, and probes that are answered there", async () => {
    const { opsPort } = await flagsOf(config);
    expect(container.ports).toEqual([{ name: "ops", containerPort: opsPort }]);
    const { annotations } = pod.metadata ?? {};
    if (annotations !== undefined) expect(annotations["prometheus.io/port"]).toBe(String(opsPort));
    expect(readFileSync(join(root, "deploy", "Dockerfile"), "utf8")).toContain(`EXPOSE ${opsPort}\n`);
    const server = await listenForOps("127.0.0.1", 0, {
      live: () => ({ ok: true }),
      ready: () => ({ ok: true }),
      metrics: async () => ({ type: "text/plain", text: "" }),
    });
    try {
      const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
      const paths = probes.flatMap((probe) => probe?.httpGet.path ?? []);
      expect(paths.length).toBeGreaterThan(0);
      for (const path of [...paths, ...(annotations === undefined ? [] : [annotations["prometheus.io/path"]])]) {
        expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status, path).toBe(200);
      }
    } finally {
      await server.close();
    }
  });

  test("sets variables that the program reads", () => {
    const known = [...secretVariables, "INGEST_WORLD_SIZE"];
    for (const { name } of container.env) expect(known, name).toContain(name);
  });

  test("leaves time to stop", async () => {
    const { drainSeconds } = await flagsOf(config);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drainSeconds + 30);
  });

  test("uses the image that the kustomization versions", () => {
    expect(kustomization.images.map(({ name }) => name)).toEqual([container.image]);
  });

  test("scales by the topic, group and start of the configuration", async () => {
    const file = await readConfig(config);
    for (const { spec } of manifests) {
      if (spec.scaleTargetRef === undefined) continue;
      expect(
        manifests.some(({ metadata, kind }) => kind === "Deployment" && metadata.name === spec.scaleTargetRef?.name),
      );
      const trigger = spec.triggers?.[0]?.metadata ?? {};
      expect(`kafka://${trigger["bootstrapServers"]}/${trigger["topic"]}`).toBe(file["uri"]);
      expect(trigger["consumerGroup"]).toBe(file["group"]);
      expect(trigger["offsetResetPolicy"]).toBe(file["from"]);
    }
    expect(manifests.some(({ kind }) => kind === "ScaledObject")).toBe(base === "consumer");
  });

  test("gives up on exit codes that mean what it says", () => {
    for (const { spec } of manifests) {
      const worldSize = container.env.find(({ name }) => name === "INGEST_WORLD_SIZE")?.value;
      if (spec.completions !== undefined) expect(worldSize).toBe(String(spec.completions));
      for (const { onExitCodes } of spec.podFailurePolicy?.rules ?? []) {
        if (onExitCodes === undefined) continue;
        expect(onExitCodes.containerName).toBe(container.name);
        expect(onExitCodes.values).toEqual([exitCodes.usage, exitCodes.badData]);
      }
    }
  });
});

test("documents name metrics that exist", async () => {
  const text = await new ConsumerMetrics("0", "parquet").registry.metrics();
  const known = new Set(text.match(/(?<=^# TYPE )ingest_\w+/gm));
  const pages = ["docs/consume.md", "docs/deploy.md"].map((page) => join(root, page));
  const deploy = join(root, "deploy");
  const files = readdirSync(deploy, { recursive: true, encoding: "utf8" }).map((name) => join(deploy, name));
  for (const path of [...pages, ...files.filter((name) => /\.(ya?ml)$/.test(name))]) {
    expect(existsSync(path), path).toBe(true);
    for (const name of readFileSync(path, "utf8").match(/\bingest_[a-z_]+\b/g) ?? []) {
      expect(
        [...known].some((metric) => metric === name || metric.startsWith(`${name}_`)),
        `${path}: ${name}`,
      ).toBe(true);
    }
  }
});
