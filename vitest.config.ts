import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests run on the TypeScript sources; what is shipped is tested by packing it (test/pack.test.ts).
  resolve: { conditions: ["ingest-source"] },
  ssr: { resolve: { conditions: ["ingest-source"], externalConditions: ["ingest-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
