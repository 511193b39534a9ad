import { createHash } from "node:crypto";
import { neededLua } from "./needed-lua.ts";
import type { Redis } from "./open-redis.ts";

/** A Lua script: sent by its hash, and in full once to a Redis that does not know it yet. */
export type LuaScript = (
  client: Redis,
  keys: string[],
  args: (string | number | Buffer)[],
) => Promise<unknown>;

/** @param library what the script calls is taken from here (`neededLua`) */
export function createLuaScript(script: string, library = ""): LuaScript {
  const source = neededLua(library, script) + script;
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
