import { randomBytes } from "node:crypto";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { freePort, type ServiceProcess, startService, waitFor } from "@forebay/test-harness";
import { createClient } from "../src/index.ts";

export const model = "llama3.2:3b";

/** The real API and worker, and a simulated Ollama, on a prefix of their own of the tests' Redis. */
export type LiveForebay = AsyncDisposable & {
  /** Stays the same over restarts of the API. */
  readonly url: string;
  readonly simulator: Simulator;
  api: ServiceProcess;
  restartApi(): Promise<void>;
};

export async function startLiveForebay(redisUrl: string): Promise<LiveForebay> {
  await using opened = new AsyncDisposableStack();
  const simulator = opened.use(await startSimulator({ tokensPerS: 200, numParallel: 4 }));
  const port = await freePort();
  const env = {
    REDIS_URL: redisUrl,
    FOREBAY_KEY_PREFIX: `client-${randomBytes(4).toString("hex")}`,
    API_PORT: String(port),
    OLLAMA_URLS: simulator.url,
    WORKER_CONCURRENCY: "4",
    WORKER_DISCOVERY_INTERVAL_MS: "200",
    DELIVERY_BACKOFF_BASE_MS: "20",
  };
  let [api] = await Promise.all([
    startService("api", env),
    startService("worker", env).then((worker) => opened.use(worker)),
  ]);
  opened.defer(() => api.stop());
  const url = `http://127.0.0.1:${port}`;
  const client = createClient({ baseUrl: url });
  await waitFor(async () => (await client.models()).length > 0, { what: "the models are known" });
  const stack = opened.move();
  return {
    url,
    simulator,
    get api() {
      return api;
    },
    async restartApi() {
      await api.kill("SIGKILL");
      api = await startService("api", env);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
