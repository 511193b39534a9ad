import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type ServiceName,
  type ServiceProcess,
  serviceNames,
  startService,
  startSimulator,
} from "./service-processes.ts";
import { startRedis } from "./start-redis.ts";

export interface StackOptions {
  /** Default: a Redis of the stack's own. */
  redisUrl?: string;
  /** As in OLLAMA_URLS; default: a simulator of the stack's own, with its default models. */
  ollamaUrls?: string;
  /** Key prefix in Redis. */
  prefix: string;
  /** Default all. */
  services?: readonly ServiceName[];
  /** For every service; wins over what the stack chooses. */
  env?: Readonly<Record<string, string>>;
}

export interface Stack extends AsyncDisposable {
  redisUrl: string;
  ollamaUrls: string;
  dataDir: string;
  /** The first process of each service asked for; asking for another one throws. */
  service(name: ServiceName): ServiceProcess;
  /** One more process of a service, in the same stack and stopped with it. */
  startAnother(name: ServiceName, env?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  /** SIGTERM in the order of starting (takers of work first), then the simulator and Redis. */
  stop(): Promise<void>;
}

/** The real services as real processes on free ports, ready for work. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(path.join(tmpdir(), "forebay-stack-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const redisUrl = options.redisUrl ?? opened.use(await startRedis()).url;
  const ollamaUrls = options.ollamaUrls ?? opened.use(await startSimulator()).url;
  const processes: ServiceProcess[] = [];
  opened.defer(async () => {
    for (const process of processes) await process.stop();
  });

  async function startAnother(
    name: ServiceName,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    const own = {
      REDIS_URL: redisUrl,
      OLLAMA_URLS: ollamaUrls,
      FOREBAY_KEY_PREFIX: options.prefix,
      FOREBAY_DATA_DIR: dataDir,
    };
    const started = await startService(name, { ...own, ...options.env, ...env });
    processes.push(started);
    return started;
  }
  // One after another: two cores start four Nodes no faster side by side.
  for (const name of options.services ?? serviceNames) await startAnother(name);

  const stack = opened.move();
  const stop = () => stack.disposeAsync();
  return {
    redisUrl,
    ollamaUrls,
    dataDir,
    service: (name) => {
      const found = processes.find((process) => process.name === name);
      if (found === undefined) throw new Error(`This stack was started without ${name}.`);
      return found;
    },
    startAnother,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
