import { defineConfig } from "vitest/config";

// Tests run on the TypeScript sources; what is shipped is tested by packing it (test/pack.test.ts). Naming conditions
// replaces Vite's own, so `node` has to be among them: it picks the Node side of `#channel`, `#codecs` and `#crc32c`.
const conditions = ["ingest-source", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Files "*.slow.ts" run in `.ci/run` alone, by name.
    include: [
      "packages/*/test/**/*.test.ts",
      "test/**/*.test.ts",
      ...(process.env["INGEST_SLOW"] ? ["test/**/*.slow.ts"] : []),
    ],
    testTimeout: 60_000,
    // Hooks start real servers, which takes long on a busy machine.
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
