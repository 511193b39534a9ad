import { randomBytes } from "node:crypto";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  type DeliveryPolicy,
  type InferenceJob,
  inferenceJobSchema,
  type InferenceResult,
  isFinalState,
  queueTag,
} from "@forebay/queue-contracts";
import { waitFor } from "@forebay/test-harness";
import {
  addJob,
  closeRedis,
  type Consumer,
  type ConsumerOptions,
  createQueueDirectory,
  type Delivery,
  type JobRecord,
  openConsumer,
  openQueueSpace,
  openRedis,
  type Outcome,
  type QueueDirectory,
  type QueueSpace,
  readJob,
  waitForRedis,
} from "../src/index.ts";

export const model = "llama3.2:3b";

/** Where a job is, as most functions want it. */
export type Place = { id: string; queueName: string; tenant: string };

type Submit = {
  fields?: Record<string, unknown>;
  tenant?: string;
  attempts?: number;
  delayMs?: number;
  /** When the id says it was made. */ atMs?: number;
  costMs?: number;
  weight?: number | undefined;
  /** Of its tenant's jobs at once. */ runningMax?: number | null | undefined;
  /** Whose connection puts it; default the fixture's. */ space?: QueueSpace | undefined;
};

type Consume = Partial<Pick<ConsumerOptions, "concurrency" | "lockMs" | "stalledCheckMs" | "worker">> & {
  queueName?: string;
  policy?: Partial<DeliveryPolicy>;
};

/** Says how a start ended, having done nothing. */
export type Handler = (delivery: Delivery) => Outcome | Promise<Outcome>;

type Test = (job: JobRecord) => boolean | Promise<boolean>;

/** A Redis prefix of its own, and as many consumers in this process as a test wants. */
export type Fixture = AsyncDisposable & {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  /** Errors and losses the consumers told of. */
  readonly seen: { errors: Error[]; locksLost: number; stalled: number };
  /** Another connection with a space of its own, closed with the fixture. */
  openSpace(): Promise<QueueSpace>;
  submit(options?: Submit): Promise<Place>;
  consume(handle: Handler, options?: Consume): Promise<Consumer>;
  read(id: string): Promise<JobRecord>;
  ended(id: string): Promise<JobRecord>;
  /** Waits until a consumer has recorded a start that has not ended. */
  begun(id: string): Promise<JobRecord>;
  /** Waits until `test` holds for the job. */
  until(id: string, what: string, test: Test): Promise<JobRecord>;
};

export async function createFixture(redisUrl: string): Promise<Fixture> {
  await using opened = new AsyncDisposableStack();
  const prefix = `queue-test-${randomBytes(4).toString("hex")}`;
  const openSpace = async (stack: AsyncDisposableStack): Promise<QueueSpace> => {
    const client = openRedis({ url: redisUrl, prefix }, "consumer", prefix, () => undefined);
    stack.defer(() => closeRedis(client));
    await waitForRedis(client, 10_000);
    const space = openQueueSpace(client, prefix);
    stack.defer(() => space.close());
    return space;
  };
  const space = await openSpace(opened);
  opened.defer(() => removeKeys(space));
  const directory = createQueueDirectory(space);
  const seen: Fixture["seen"] = { errors: [], locksLost: 0, stalled: 0 };
  const home = await directory.ensure(affinityOf({ model }));
  const stack = opened.move();

  const read = async (id: string): Promise<JobRecord> => {
    const record = await readJob(space, directory, id);
    if (!record) throw new Error(`job ${id} is gone`);
    return record;
  };
  const until = (id: string, what: string, test: Test) =>
    waitFor(
      async () => {
        const job = await read(id);
        return (await test(job)) ? job : undefined;
      },
      { what, timeoutMs: 25_000 },
    );

  return {
    redisUrl,
    prefix,
    space,
    directory,
    seen,
    openSpace: () => openSpace(stack),
    read,
    until,
    begun: (id) =>
      until(
        id,
        "it runs",
        ({ state, starts }) =>
          state === "active" && starts.length > 0 && starts.at(-1)?.ended_at === undefined,
      ),
    ended: (id) => until(id, "the job ended", (job) => isFinalState(job.state)),
    async submit({ fields = {}, tenant = "acme", atMs, space: by = space, ...options } = {}) {
      const job = generateJob({ tenant, ...fields });
      const affinity = affinityOf({ model: job.model, options: job.request.options });
      const queueName = await directory.ensure(affinity);
      const id = createJobId(queueTag(affinity), atMs);
      await addJob(by, { ...options, id, queueName, job, policy: defaultDeliveryPolicy });
      return { id, queueName, tenant };
    },
    async consume(handle, { queueName = home, policy, ...options } = {}) {
      const own = await openSpace(stack);
      const consumer = openConsumer(own, {
        queueName,
        concurrency: 1,
        worker: `w-${randomBytes(2).toString("hex")}`,
        lockMs: 10_000,
        stalledCheckMs: 5_000,
        ...options,
        policy: { ...defaultDeliveryPolicy, backoffBaseMs: 1, ...policy },
        handle: async (delivery) => ({ outcome: await handle(delivery), gpuMs: 7 }),
        on: {
          stalled: () => void seen.stalled++,
          lockLost: () => void seen.locksLost++,
          error: (error) => void seen.errors.push(error),
        },
      });
      stack.defer(() => consumer.close(AbortSignal.abort()));
      return consumer;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export function generateJob(fields: Record<string, unknown> = {}): InferenceJob {
  const request = { prompt: "Why is the sky blue?" };
  return inferenceJobSchema.parse({ v: 1, type: "generate", tenant: "acme", model, request, ...fields });
}

export function resultSaying(response: string): InferenceResult {
  return {
    v: 1,
    type: "generate",
    model,
    backend: "gpu-1",
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, gpu_ms: 4 },
    total_duration_ms: 4,
    load_duration_ms: 0,
    prompt_eval_count: 1,
    done_reason: "stop",
    eval_count: 2,
    prompt_eval_duration_ms: 1,
    eval_duration_ms: 3,
    response,
  };
}

export const completes = (response = "Because."): Outcome => ({
  kind: "completed",
  result: resultSaying(response),
});
export const discards = (code: "invalid_request" | "cancelled" | "expired" = "invalid_request"): Outcome => ({
  kind: "discard",
  failure: { code, message: "no good" },
});
export const retries = (delayMs?: number): Outcome => ({
  kind: "retry",
  failure: { code: "backend_reset", message: "it broke" },
  delayMs,
});

/** A space in which something happens right before or after its first script is sent. */
export function interleave(
  space: QueueSpace,
  when: "before" | "after",
  happens: () => Promise<unknown>,
): QueueSpace {
  let pending: (() => Promise<unknown>) | undefined = happens;
  const now = async (): Promise<void> => {
    const work = pending;
    pending = undefined;
    await work?.();
  };
  const client = new Proxy(space.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "sendCommand" || typeof value !== "function") return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (when === "before") await now();
        const reply: unknown = await value.apply(target, args);
        if (when === "after") await now();
        return reply;
      };
    },
  });
  return { ...space, client };
}

/** A promise and the function that fulfils it. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Resolves when the signal is aborted, with the reason. */
export const abortOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });

export async function keysOf(space: QueueSpace): Promise<string[]> {
  return (await space.client.keys(`${space.prefix}:*`)).toSorted();
}

async function removeKeys(space: QueueSpace): Promise<void> {
  const keys = await keysOf(space);
  if (keys.length > 0) await space.client.unlink(keys);
}
