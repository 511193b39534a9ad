import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createKeyStore } from "@forebay/access-keys";
import {
  announceWorker,
  closeRedis,
  openQueueSpace,
  openRedis,
  type QueueSpace,
} from "@forebay/queue-bullmq";
import { type ServiceProcess, startService } from "@forebay/test-harness";

export const prefix = "bench";
export const model = "bench:latest";

export type Forebay = AsyncDisposable & {
  readonly space: QueueSpace;
  /** Headers of a client with a valid key. */
  readonly headers: Readonly<Record<string, string>>;
  startApi(env?: Readonly<Record<string, string>>): Promise<ServiceProcess & { url: string }>;
  startBatchRunner(env?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  startWorker(ollamaUrl: string, concurrency: number, env?: Record<string, string>): Promise<ServiceProcess>;
};

/** Forebay's own services as they are deployed, on this Redis, with one API key and the model known. */
export async function openForebay(redisUrl: string): Promise<Forebay> {
  const client = openRedis({ url: redisUrl, prefix }, "consumer", "bench", (error) =>
    console.error(error.message),
  );
  const space = openQueueSpace(client, prefix);
  const { key } = await createKeyStore(space).create({ name: "bench", tenant: "bench" });
  // No worker runs while requests are measured; this keeps the model known.
  const models = [{ name: model, loaded: true }];
  const backends = [{ name: "bench", up: true, slots: 1, models }];
  const lease = { worker: "bench", started_at: new Date().toISOString(), backends, finished_per_s: {} };
  await announceWorker(space, lease, 3_600);

  const dataDir = await mkdtemp(path.join(tmpdir(), "forebay-bench-"));
  const env = {
    FOREBAY_DATA_DIR: dataDir,
    REDIS_URL: redisUrl,
    FOREBAY_KEY_PREFIX: prefix,
    // Nobody works the jobs off while they are put.
    API_TENANT_JOBS_OPEN_MAX: "10000000",
    API_JOBS_WAITING_MAX: "10000000",
    API_BACKLOG_MAX_S: "1000000000",
  };
  return {
    space,
    headers: { authorization: `Bearer ${key}` },
    async startApi(more = {}) {
      const api = await startService("api", { ...env, ...more });
      return { ...api, url: api.url ?? "" };
    },
    startBatchRunner: (more = {}) => startService("batch-runner", { ...env, ...more }),
    startWorker: (ollamaUrl, concurrency, more = {}) =>
      startService("worker", {
        ...env,
        OLLAMA_URLS: ollamaUrl,
        WORKER_CONCURRENCY: String(concurrency),
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await space.close();
      await closeRedis(client);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
