import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { closeRedis, openQueueSpace, openRedis, type QueueSpace, waitForRedis } from "@forebay/queue-bullmq";
import { type Simulator, type SimulatorOptions, startSimulator } from "@forebay/ollama-simulator";
import { type ServiceName, type ServiceProcess, startService, waitFor } from "@forebay/test-harness";
import { readEvents, type SseEvent } from "./read-events.ts";

export const model = "llama3.2:3b";

/** A whole path in real processes: API replicas and workers as many as wanted, on one prefix of a Redis. */
export type LiveStack = AsyncDisposable & {
  readonly simulator: Simulator;
  /** Where files are kept. */ readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  startApi(env?: Record<string, string>): Promise<ServiceProcess & { url: string }>;
  startWorker(env?: Record<string, string>): Promise<ServiceProcess>;
  startTimekeeper(env?: Record<string, string>): Promise<ServiceProcess>;
  startBatchRunner(env?: Record<string, string>): Promise<ServiceProcess>;
  startDlqHandler(env?: Record<string, string>): Promise<ServiceProcess>;
  /** What the services have in Redis, on a connection of the test's own. */
  openSpace(): Promise<QueueSpace>;
};

export async function createLiveStack(redisUrl: string, options: SimulatorOptions = {}): Promise<LiveStack> {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await startSimulator({ tokensPerS: 200, ...options }));
  const prefix = `live-${randomBytes(4).toString("hex")}`;
  const dataDir = await mkdtemp(path.join(tmpdir(), "forebay-live-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const env = { REDIS_URL: redisUrl, FOREBAY_KEY_PREFIX: prefix, FOREBAY_DATA_DIR: dataDir };
  const start = async (name: ServiceName, extra: Record<string, string>) =>
    stack.use(await startService(name, { ...env, ...extra }));
  return {
    simulator,
    dataDir,
    env,
    async startApi(extra = {}) {
      const api = await start("api", extra);
      return { ...api, url: api.url ?? "" };
    },
    startWorker: (extra = {}) =>
      start("worker", {
        OLLAMA_URLS: `gpu-1=${simulator.url}`,
        WORKER_DISCOVERY_INTERVAL_MS: "200",
        DELIVERY_BACKOFF_BASE_MS: "20",
        ...extra,
      }),
    startTimekeeper: (extra = {}) => start("timekeeper", { TIMEKEEPER_SWEEP_MS: "100", ...extra }),
    startBatchRunner: (extra = {}) =>
      start("batch-runner", {
        BATCH_LOCK_MS: "1500",
        BATCH_STALLED_CHECK_MS: "500",
        BATCH_FLUSH_MS: "100",
        BATCH_UPKEEP_MS: "500",
        ...extra,
      }),
    startDlqHandler: (extra = {}) => start("dlq-handler", { DLQ_SWEEP_INTERVAL_MS: "200", ...extra }),
    async openSpace() {
      const client = openRedis({ url: redisUrl, prefix }, "consumer", "live-test", () => undefined);
      stack.defer(() => closeRedis(client));
      await waitForRedis(client, 10_000);
      const space = openQueueSpace(client, prefix);
      stack.defer(() => space.close());
      return space;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What tests read of an answer: a job's view, a list of them, a schedule or a problem. */
export type View = {
  readonly job_id: string;
  readonly state: string;
  readonly model: string | null;
  readonly finished_at: string | null;
  readonly started_at: string | null;
  readonly run_at: string | null;
  readonly attempts_made: number;
  readonly result: { response: string; message: Record<string, unknown> } | null;
  readonly error: { code: string } | null;
  readonly code: string;
  readonly jobs: readonly View[];
  readonly schedule_id: string;
  readonly paused: boolean;
  readonly next_runs: readonly string[];
  readonly last_run: { outcome: string; job_id: string | null } | null;
};

export async function post(
  url: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: View }> {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: parseView(text),
  };
}

export async function get(url: string, path: string): Promise<{ status: number; body: View }> {
  const answer = await fetch(url + path);
  const text = await answer.text();
  return { status: answer.status, body: parseView(text) };
}

const parseView = (text: string): View => JSON.parse(text === "" ? "{}" : text) as View;

/** Submits once the model is known. */
export async function submit(url: string, body: Record<string, unknown> = {}): Promise<string> {
  const job = { model, prompt: "Tell me", options: { num_predict: 40, seed: 1 }, ...body };
  const answer = await waitFor(
    async () => {
      const { status, body: view } = await post(url, "/jobs", job);
      return status === 202 ? view : undefined;
    },
    { what: "the job is accepted" },
  );
  return answer.job_id;
}

export async function ended(url: string, id: string): Promise<View> {
  return waitFor(
    async () => {
      const { body } = await get(url, `/jobs/${id}`);
      return body.finished_at ? body : undefined;
    },
    { what: "the job ended", timeoutMs: 25_000 },
  );
}

/** All events from `after` to the job's end, over as many connections as it takes. */
export async function followToEnd(url: string, id: string, after = 0): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for await (const event of readEvents(`${url}/jobs/${id}/events`, after)) events.push(event);
  return events;
}

/** The job's view, from its last event. */
export function lastView(events: readonly SseEvent[]): View {
  return events.at(-1)?.data as unknown as View;
}

/** The text that the tokens since the last restart make. */
export function textOf(events: readonly SseEvent[]): string {
  let text = "";
  for (const { event, data } of events) {
    if (event === "restart") text = "";
    if (event === "token") text += (data["text"] as string | undefined) ?? "";
  }
  return text;
}
