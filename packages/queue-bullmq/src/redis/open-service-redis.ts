import { setTimeout as delay } from "node:timers/promises";
import { closeRedis, openRedis, type Redis, type RedisRole, waitForRedis } from "./open-redis.ts";
import type { RedisSettings } from "./redis-settings.ts";

export type ServiceRedisOptions = {
  readonly settings: RedisSettings;
  readonly role: RedisRole;
  readonly clientName: string;
  /** Called for every connection error; ioredis reconnects by itself. */
  readonly onError: (error: Error) => void;
};

/** The process it is for: what is on the stack is disposed some time after the signal aborted. */
export type StoppableService = { readonly stack: AsyncDisposableStack; readonly stopping: AbortSignal };

/** How long a process that starts, and one that stops, waits for a Redis that does not answer. */
const startPatienceMs = 30_000;
const stopPatienceMs = 5_000;
const probeMs = 250;

/**
 * The connection a process lives with, once it is there; the stack closes it. While the process runs, a consumer
 * waits for an absent Redis as long as it takes. Once `stopping` aborts, it does so for 5 s: then whatever still
 * waits fails, and what the process held is taken over when its locks have run out. Rejects with a text for the
 * operator.
 */
export async function openServiceRedis(
  { stack, stopping }: StoppableService,
  { settings, role, clientName, onError }: ServiceRedisOptions,
): Promise<Redis> {
  const givenUp = new AbortController();
  const client = openRedis(settings, role, clientName, onError, givenUp.signal);
  stack.defer(() => closeRedis(client));
  stopping.addEventListener("abort", () => void giveUpIfSilent(client, givenUp), { once: true });
  await waitForRedis(client, startPatienceMs);
  return client;
}

async function giveUpIfSilent(client: Redis, givenUp: AbortController): Promise<void> {
  let answeredAt = Date.now();
  while (client.status !== "end" && !givenUp.signal.aborted) {
    const ping = client.ping().then(
      () => true,
      () => false,
    );
    const answered = await Promise.race([ping, delay(probeMs, false)]);
    if (answered) answeredAt = Date.now();
    else if (Date.now() - answeredAt > stopPatienceMs) givenUp.abort();
    await delay(probeMs);
  }
  // Lost already, it ends with its next try to connect: to disconnect it now would be the end of all tries, and
  // whoever waits would wait for ever.
  if (client.status === "ready") client.disconnect();
}
