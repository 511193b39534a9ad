import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isPortFree, isRedisReady, freePort } from "@forebay/test-harness";
import type { LocalConfig } from "./local-config.ts";
import { createLogFile } from "./log-file.ts";
import type { Program } from "./open-supervised.ts";

const usualPort = 6379;
const productionConfig = path.resolve(import.meta.dirname, "../redis/redis.conf");

/** A Redis on loopback whose data stays in the data directory, configured like the one in production. */
export async function createRedisProgram({
  dataDir,
  redisPassword,
}: LocalConfig): Promise<Program & { port: number }> {
  const port = (await isPortFree(usualPort)) ? usualPort : await freePort();
  const directory = path.join(dataDir, "redis");
  mkdirSync(directory, { recursive: true });
  const configFile = path.join(directory, "redis.conf");
  // In a file that only we may read, since arguments can be seen by every user of the machine.
  writeFileSync(configFile, describeConfig({ port, directory, redisPassword }), { mode: 0o600 });
  return {
    name: "redis",
    port,
    command: "redis-server",
    args: [configFile],
    env: process.env,
    logFile: createLogFile(path.join(dataDir, "logs"), "redis"),
    isReady: (pid) => isRedisReady(port, pid, redisPassword),
  };
}

function describeConfig(settings: {
  port: number;
  directory: string;
  redisPassword: string | undefined;
}): string {
  const { port, directory, redisPassword } = settings;
  const lines = [
    // What a later line says wins over the included file.
    ...(existsSync(productionConfig) ? [`include ${quote(productionConfig)}`] : []),
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${quote(directory)}`,
    "daemonize no",
    "appendonly yes",
    "appendfsync everysec",
    "maxmemory-policy noeviction",
    ...(redisPassword ? [`requirepass ${quote(redisPassword)}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
