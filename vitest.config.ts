import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "packages/*/examples/*/test/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "infra/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    globalSetup: ["packages/test-harness/src/shared-redis.ts"],
    // Behaviour is tested with real processes: more files at once than cores only make each other late.
    maxWorkers: 2,
    // Generous, because nothing may depend on the speed of the machine; a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
  },
});
