import { createHash } from "node:crypto";
import { neededLua } from "./needed-lua.ts";
import type { Redis } from "./open-redis.ts";
import { ScriptCommand } from "./script-command.ts";

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
    const run = (name: ScriptCommand["name"], by: string): Promise<unknown> => {
      const command = new ScriptCommand(name, [by, keys.length, ...keys, ...args]);
      void client.sendCommand(command);
      return command.promise;
    };
    try {
      return await run("evalsha", sha);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return run("eval", source);
    }
  };
}
