import type { Redis } from "./open-redis.ts";

export type RedisMemory = {
  readonly usedBytes: number /** 0: no limit is set. */;
  readonly maxBytes: number;
};

export async function readRedisMemory(client: Redis): Promise<RedisMemory> {
  const info = await client.info("memory");
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return { usedBytes: field("used_memory"), maxBytes: field("maxmemory") };
}

/** Rejects when Redis does not answer: the check behind `/readyz`. */
export async function checkRedis(client: Redis): Promise<void> {
  await client.ping();
}
