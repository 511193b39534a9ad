import { createKeyStore, type KeyStore } from "@forebay/access-keys";
import {
  closeRedis,
  openQueueSpace,
  openRedis,
  redisEnvShape,
  redisSettings,
  waitForRedis,
} from "@forebay/queue-bullmq";
import { loadConfig } from "@forebay/service-runtime";
import { z } from "zod";
import type { CliIo } from "./command.ts";

const connectTimeoutMs = 3_000;

/** Runs `work` with the deployment's keys. Throws ConfigError, or an Error that says why Redis is out of reach. */
export async function withKeyStore<T>(env: CliIo["env"], work: (store: KeyStore) => Promise<T>): Promise<T> {
  const settings = redisSettings(loadConfig(z.object(redisEnvShape), env));
  let last: Error | undefined;
  const client = openRedis(settings, "producer", "forebay-cli", (error) => {
    last = error;
  });
  try {
    await waitForRedis(client, connectTimeoutMs).catch((error: unknown) => {
      const why = last === undefined ? "" : ` (${reasonOf(last)})`;
      throw new Error(`${error instanceof Error ? error.message : error}${why}`, { cause: last });
    });
    return await work(createKeyStore(openQueueSpace(client, settings.prefix)));
  } finally {
    await closeRedis(client);
  }
}

// When a name resolves to several addresses the reasons are inside and the message is empty.
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each) => reasonOf(each as Error)).join("; ");
  return error.message;
}
