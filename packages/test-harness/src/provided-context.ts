import type {} from "vitest";

declare module "vitest" {
  // What the root vitest.config.ts's global setup provides to every test: inject("redisUrl").
  interface ProvidedContext {
    /** The one Redis of this test run: never flush it; take a key prefix of your own and leave no key behind. */
    redisUrl: string;
  }
}
