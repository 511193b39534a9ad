import { createHash } from "node:crypto";
import type { Redis } from "./open-redis.ts";

/** A Lua script: sent by its hash, and in full once to a Redis that does not know it yet. */
export type LuaScript = (
  client: Redis,
  keys: string[],
  args: (string | number | Buffer)[],
) => Promise<unknown>;

export function createLuaScript(source: string): LuaScript {
  const sha = createHash("sha1").update(source).digest("hex");
  return async (client, keys, args) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return client.eval(source, keys.length, ...keys, ...args);
    }
  };
}
