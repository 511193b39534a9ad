import { readFile } from "node:fs/promises";
import { type RedisSandbox, startRedis } from "@forebay/test-harness";

// Chosen by the sandbox, or not for a run of seconds: a rewrite of the log would fall into one round by chance.
const left = new Set(["port", "bind", "dir", "logfile", "auto-aof-rewrite-percentage"]);

/** A Redis of our own on a free port, with the project's configuration. */
export async function startBenchRedis(): Promise<RedisSandbox> {
  const text = await readFile(new URL("../../../infra/redis/redis.conf", import.meta.url), "utf8");
  const config: Record<string, string> = { "auto-aof-rewrite-percentage": "0" };
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-z][\w-]*)\s+(.+)$/.exec(line.trim()) ?? [];
    if (name && value && !left.has(name)) config[name] = value === '""' ? "" : value;
  }
  return startRedis({ config });
}
