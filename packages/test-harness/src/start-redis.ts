import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./free-port.ts";
import { isRedisReady } from "./is-redis-ready.ts";
import { type Child, spawnChild } from "./spawn-child.ts";
import { waitFor } from "./wait-for.ts";

export interface RedisOptions {
  /** Where its data stays; default a temporary directory that `stop` removes. */
  dir?: string;
  /** Default a free one. */
  port?: number;
  /** Default true. */
  appendonly?: boolean;
  /** More directives of redis.conf, by name. */
  config?: Readonly<Record<string, string>>;
}

export interface RedisSandbox extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGSTOP freezes it and SIGCONT thaws it; a signal that ends it resolves once it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it again on the same port with the data it had on disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A real Redis of our own that never evicts, ready for commands, and gone when this process is. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisSandbox> {
  const dir = options.dir ?? (await mkdtemp(path.join(tmpdir(), "forebay-redis-")));
  const removeDir = async () => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  const { child, port } = await launchOnFreePort(options, dir).catch(async (error: unknown) => {
    await removeDir();
    throw error;
  });
  let current = child;

  async function end(): Promise<void> {
    if (!current.running()) return;
    const gone = current.kill("SIGTERM");
    // A frozen process keeps signals waiting until it is thawed.
    await current.kill("SIGCONT");
    await gone;
  }
  async function stop(): Promise<void> {
    await end();
    await removeDir();
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return current.pid;
    },
    kill: (signal) => current.kill(signal),
    restart: async () => {
      await end();
      current = await launch(argumentsFor({ ...options, dir, port }), port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

// Between finding a free port and listening on it another process can take it.
async function launchOnFreePort(options: RedisOptions, dir: string): Promise<{ child: Child; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      return { child: await launch(argumentsFor({ ...options, dir, port }), port), port };
    } catch (error) {
      const taken = error instanceof Error && error.message.includes("Address already in use");
      if (!taken || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

function argumentsFor(options: RedisOptions & { dir: string; port: number }): string[] {
  const directives = {
    port: String(options.port),
    bind: "127.0.0.1",
    dir: options.dir,
    appendonly: options.appendonly === false ? "no" : "yes",
    // What it confirmed must be there after SIGKILL: with `everysec` it puts writes off while the disk is busy.
    appendfsync: "always",
    "maxmemory-policy": "noeviction",
    save: "",
    ...options.config,
  };
  return Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
}

async function launch(args: readonly string[], port: number): Promise<Child> {
  const child = await spawnChild("redis-server", args);
  await waitFor(async () => !child.running() || (await isRedisReady(port, child.pid)), {
    timeoutMs: 30_000,
    what: `Redis answers on port ${port}`,
  });
  if (child.running()) return child;
  await child.exited;
  throw new Error(`Redis ended while starting:\n${child.output()}`);
}
