import type { Redis, RedisOptions } from "ioredis";
import type { RedisSettings } from "./redis-settings.ts";
import { TurnRedis } from "./turn-redis.ts";

export type { Redis } from "ioredis";

/** A producer must answer its client now; a consumer has all the time in the world. */
export type RedisRole = "producer" | "consumer";

const commandTimeoutMs = 1_500;
/** How long a farewell to Redis may take. */
const quitTimeoutMs = 1_000;

const roleOptions: Record<RedisRole, RedisOptions> = {
  // Fail at once when Redis is away, and within 2 s when it is frozen.
  producer: {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 1_500,
  },
  // BullMQ's consumers refuse any other value: they wait for Redis for ever.
  consumer: { maxRetriesPerRequest: null },
};

/**
 * A connection to Redis that is being made; `waitForRedis` tells when it is there, and the caller closes it with
 * `closeRedis`. A producer's commands reject while Redis is away, a consumer's wait.
 *
 * @param onError called for every connection error; ioredis reconnects by itself.
 * @param givenUp once it aborts, a connection that is lost stays so, and what waits for it fails: this one and all
 *   that are copied from it
 */
export function openRedis(
  settings: RedisSettings,
  role: RedisRole,
  clientName: string,
  onError: (error: Error) => void,
  givenUp?: AbortSignal,
): Redis {
  const client = new TurnRedis(settings.url, {
    ...roleOptions[role],
    ...(settings.password === undefined ? {} : { password: settings.password }),
    connectionName: clientName,
    // Back within a second of Redis: a queue that is up again must not look down.
    retryStrategy: (times) => (givenUp?.aborted ? null : Math.min(times * 50, 1_000)),
    // A frozen Redis never answers the end of a connection.
    disconnectTimeout: 200,
  });
  // Every queue and consumer of the process listens on this one connection.
  client.setMaxListeners(0);
  client.on("error", onError);
  return client;
}

/** Resolves when the connection is usable; rejects after `timeoutMs`, or when it is closed, with a text for the operator. */
export async function waitForRedis(client: Redis, timeoutMs: number): Promise<void> {
  if (client.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      client.off("ready", ready).off("end", ended);
      if (error) reject(error);
      else resolve();
    };
    const { host, port } = client.options;
    const ready = (): void => settle();
    const ended = (): void => settle(new Error(`the connection to Redis at ${host}:${port} was closed`));
    const late = (): void =>
      settle(new Error(`Redis at ${host}:${port} did not answer within ${timeoutMs} ms; see REDIS_URL`));
    const timer = setTimeout(late, timeoutMs);
    client.once("ready", ready).once("end", ended);
  });
}

/** Ends the connection: politely while Redis answers, at once when it does not. */
export async function closeRedis(client: Redis): Promise<void> {
  if (client.status === "ready") {
    const timer = setTimeout(() => client.disconnect(), quitTimeoutMs);
    await client.quit().catch(() => undefined);
    clearTimeout(timer);
  }
  if (client.status !== "end") client.disconnect();
}
