import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createKeyStore, type KeyInput, type KeyStore } from "@forebay/access-keys";
import {
  announceWorker,
  closeRedis,
  type Consumer,
  createQueueDirectory,
  type Delivery,
  openConsumer,
  openQueueSpace,
  openRedis,
  type Outcome,
  type QueueDirectory,
  type QueueSpace,
  waitForRedis,
} from "@forebay/queue-bullmq";
import { affinityOf, defaultDeliveryPolicy, type InferenceResult } from "@forebay/queue-contracts";
import { createLogger, createMetrics, loadConfig } from "@forebay/service-runtime";
import { apiConfigSchema } from "../src/config.ts";
import { startApi } from "../src/start-api.ts";

export const model = "llama3.2:3b";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  readonly text: string;
};
/** What tests read of an answer: a job's view, a list or a problem. */
export type Body = { readonly [name: string]: unknown } & {
  readonly job_id: string;
  readonly state: string;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { path: string; message: string }[];
  readonly jobs: readonly Body[];
  readonly next_cursor: string | null;
};

type Call = { body?: unknown; headers?: Record<string, string> };

/** An API as it is deployed, in this process, on a Redis prefix of its own. */
export type Api = AsyncDisposable & {
  readonly url: string;
  readonly opsUrl: string;
  /** `body`: an object is sent as JSON, a string or bytes as they are. */
  call(method: string, path: string, options?: Call): Promise<Answer>;
  submit(fields?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
};

export type ApiFixture = Api & {
  readonly prefix: string;
  /** Where files are kept. */ readonly dataDir: string;
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly keys: KeyStore;
  /** A key's headers. */
  withKey(input?: Partial<KeyInput>): Promise<Record<string, string>>;
  announce(models?: readonly string[], finishedPerS?: Record<string, number>): Promise<void>;
  /** Another API on the same prefix. */
  startReplica(env?: Record<string, string>): Promise<Api>;
  /** Works the model's queue off in this process. */
  consume(handle: (delivery: Delivery) => Outcome | Promise<Outcome>): Promise<Consumer>;
};

/** Starts an API; with `models: []` no worker has ever been there. */
export async function createApiFixture(
  redisUrl: string,
  env: Record<string, string> = {},
  { models = [model] }: { models?: readonly string[] } = {},
): Promise<ApiFixture> {
  await using opened = new AsyncDisposableStack();
  const prefix = `api-test-${randomBytes(4).toString("hex")}`;
  const dataDir = await mkdtemp(path.join(tmpdir(), "forebay-api-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const space = await openSpace(opened, redisUrl, prefix);
  opened.defer(() => removeKeys(space));
  const announce: ApiFixture["announce"] = async (names = [model], finishedPerS = {}) => {
    const backends = [
      { name: "gpu-1", up: true, slots: 1, models: names.map((name) => ({ name, loaded: true })) },
    ];
    const started_at = new Date().toISOString();
    await announceWorker(space, { worker: "test", started_at, backends, finished_per_s: finishedPerS }, 600);
  };
  if (models.length > 0) await announce(models);
  const keys = createKeyStore(space);
  const directory = createQueueDirectory(space);
  const startReplica = (more: Record<string, string> = {}) =>
    openApi(stack, {
      REDIS_URL: redisUrl,
      FOREBAY_KEY_PREFIX: prefix,
      FOREBAY_DATA_DIR: dataDir,
      ...env,
      ...more,
    });
  const stack = opened.move();
  const api = await startReplica();
  return {
    ...api,
    prefix,
    dataDir,
    space,
    directory,
    keys,
    announce,
    startReplica,
    async withKey(input = {}) {
      const { key } = await keys.create({ name: "test", tenant: "acme", ...input });
      return { authorization: `Bearer ${key}` };
    },
    async consume(handle) {
      const own = await openSpace(stack, redisUrl, prefix);
      const queueName = await directory.ensure(affinityOf({ model }));
      const consumer = openConsumer(own, {
        queueName,
        concurrency: 1,
        worker: "test",
        lockMs: 10_000,
        stalledCheckMs: 5_000,
        policy: { ...defaultDeliveryPolicy, backoffBaseMs: 1 },
        handle: async (delivery) => ({ outcome: await handle(delivery), gpuMs: 7 }),
        on: { stalled: () => undefined, lockLost: () => undefined, error: () => undefined },
      });
      stack.defer(() => consumer.close(AbortSignal.abort()));
      return consumer;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function openSpace(stack: AsyncDisposableStack, redisUrl: string, prefix: string): Promise<QueueSpace> {
  const client = openRedis({ url: redisUrl, prefix }, "consumer", prefix, () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  return space;
}

async function openApi(stack: AsyncDisposableStack, env: Record<string, string>): Promise<Api> {
  const config = loadConfig(apiConfigSchema, { API_PORT: "0", API_OPS_PORT: "0", ...env });
  const client = openRedis(config.redis, "producer", `${config.redis.prefix}-api`, () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  const telemetry = {
    logger: createLogger({ service: "api", level: "silent" }),
    metrics: createMetrics("api"),
  };
  const own = stack.use(new AsyncDisposableStack());
  const { server, ops } = await startApi(config, client, telemetry, own);
  const call: Api["call"] = (method, path, options) => send(server.url + path, method, options);
  return {
    url: server.url,
    opsUrl: ops.url,
    call,
    submit: (fields = {}, headers = {}) =>
      call("POST", "/jobs", { body: { model, prompt: "Why is the sky blue?", ...fields }, headers }),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

async function send(url: string, method: string, { body, headers = {} }: Call = {}): Promise<Answer> {
  const raw = typeof body === "string" || body instanceof Uint8Array || body === undefined;
  const answer = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && {
      body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    }),
    redirect: "manual",
  });
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json") && text !== "";
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: (json ? JSON.parse(text) : {}) as Body,
  };
}

async function removeKeys(space: QueueSpace): Promise<void> {
  let cursor = "0";
  do {
    const [next, found] = await space.client.scan(cursor, "MATCH", `${space.prefix}:*`, "COUNT", 1_000);
    if (found.length > 0) await space.client.unlink(found);
    cursor = next;
  } while (cursor !== "0");
}

export function resultSaying(response: string): InferenceResult {
  return {
    v: 1,
    type: "generate",
    model,
    backend: "gpu-1",
    usage: { prompt_tokens: 26, completion_tokens: 116, total_tokens: 142, gpu_ms: 15_400 },
    total_duration_ms: 16_164,
    load_duration_ms: 0,
    prompt_eval_count: 26,
    done_reason: "stop",
    eval_count: 116,
    prompt_eval_duration_ms: 100,
    eval_duration_ms: 15_300,
    response,
  };
}

export const completes = (response = "Because."): Outcome => ({
  kind: "completed",
  result: resultSaying(response),
});
export const discards = (): Outcome => ({
  kind: "discard",
  failure: { code: "invalid_request", message: "no good" },
});
export const retries = (): Outcome => ({
  kind: "retry",
  failure: { code: "backend_reset", message: "it broke" },
});
