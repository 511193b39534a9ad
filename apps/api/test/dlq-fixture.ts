import { randomBytes } from "node:crypto";
import { createKeyStore, type Role } from "@forebay/access-keys";
import {
  addJob,
  announceWorker,
  closeRedis,
  createQueueDirectory,
  openConsumer,
  openQueueSpace,
  openRedis,
  type QueueDirectory,
  type QueueSpace,
  readDeadLetter,
  readJob,
  waitForRedis,
} from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  type FailureCode,
  inferenceJobSchema,
  queueTag,
} from "@forebay/queue-contracts";
import { type ServiceProcess, startService, waitFor } from "@forebay/test-harness";

export const model = "llama3.2:3b";
export const otherModel = "qwen3:8b";
export const secretPrompt = "the recipe nobody may read";

type Answer = { readonly status: number; readonly headers: Headers; readonly body: Body };
type Body = { readonly [name: string]: unknown };

/** A real API and a real dlq-handler on a Redis prefix of their own, with a key of each role. */
export type DlqFixture = AsyncDisposable & {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly handler: ServiceProcess;
  startHandler(): Promise<ServiceProcess>;
  /** As the holder of the role's key; null: without a key. */
  call(role: Role | null, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Jobs that have failed and have their dead letters. */
  deadLetters(
    count: number,
    failure?: { code?: FailureCode; message?: string; tenant?: string },
  ): Promise<string[]>;
};

export async function createDlqFixture(redisUrl: string): Promise<DlqFixture> {
  const stack = new AsyncDisposableStack();
  const prefix = `api-dlq-test-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: redisUrl, prefix }, "consumer", "api-dlq-test", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  stack.defer(async () => {
    const keys = await client.keys(`${prefix}:*`);
    if (keys.length > 0) await client.unlink(keys);
  });
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);
  await announceModels(space);

  const store = createKeyStore(space);
  const secrets: Record<string, string> = {};
  for (const role of ["client", "operator", "admin"] as const) {
    const { key } = await store.create({ name: role, tenant: role === "client" ? "acme" : "ops", role });
    secrets[role] = key;
  }
  const env = { REDIS_URL: redisUrl, FOREBAY_KEY_PREFIX: prefix };
  const api = stack.use(await startService("api", env));
  const startHandler = async () => {
    const process = await startService("dlq-handler", { ...env, DLQ_SWEEP_INTERVAL_MS: "200" });
    return stack.use(process);
  };
  const handler = await startHandler();

  return {
    space,
    directory,
    handler,
    startHandler,
    async call(role, method, path, body) {
      const answer = await fetch(`${api.url}${path}`, {
        method,
        headers: {
          ...(role && { authorization: `Bearer ${secrets[role]}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: (text ? JSON.parse(text) : {}) as Body };
    },
    async deadLetters(count, failure = {}) {
      const {
        code = "backend_reset",
        message = "the connection broke after 17 tokens",
        tenant = "acme",
      } = failure;
      const affinity = affinityOf({ model });
      const queueName = await directory.ensure(affinity);
      const job = inferenceJobSchema.parse({
        v: 1,
        type: "generate",
        tenant,
        model,
        request: { prompt: secretPrompt },
      });
      const ids = Array.from({ length: count }, () => createJobId(queueTag(affinity)));
      for (const id of ids) await addJob(space, { id, queueName, job, policy: defaultDeliveryPolicy });
      const worker = openConsumer(space, {
        queueName,
        concurrency: 10,
        worker: "test-worker",
        policy: defaultDeliveryPolicy,
        lockMs: 30_000,
        stalledCheckMs: 30_000,
        handle: async () => ({ outcome: { kind: "discard", failure: { code, message } }, gpuMs: 1 }),
        on: { stalled: () => undefined, lockLost: () => undefined, error: () => undefined },
      });
      await waitFor(
        async () => {
          const letters = await Promise.all(ids.map((id) => readDeadLetter(space, id)));
          const jobs = await Promise.all(ids.map((id) => readJob(space, directory, id)));
          return (
            letters.every((letter) => letter?.state === "dead") && jobs.every((each) => each?.deadLettered)
          );
        },
        { what: "the jobs are dead letters", timeoutMs: 20_000 },
      );
      await worker.close(AbortSignal.timeout(1_000));
      return ids;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function announceModels(space: QueueSpace): Promise<void> {
  const models = [model, otherModel].map((name) => ({ name, loaded: false }));
  const backends = [{ name: "gpu-1", up: true, slots: 1, models }];
  const lease = { worker: "w1", started_at: new Date().toISOString(), backends, finished_per_s: {} };
  await announceWorker(space, lease, 600);
}
