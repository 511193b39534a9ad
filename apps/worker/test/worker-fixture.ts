import { randomBytes } from "node:crypto";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  type InferenceJob,
  inferenceJobSchema,
  isFinalState,
  queueTag,
} from "@forebay/queue-contracts";
import {
  addJob,
  closeRedis,
  createQueueDirectory,
  type JobRecord,
  openQueueSpace,
  openRedis,
  type QueueDirectory,
  type QueueSpace,
  readJob,
  waitForRedis,
} from "@forebay/queue-bullmq";
import { type Simulator, type SimulatorOptions, startSimulator } from "@forebay/ollama-simulator";
import { type ServiceProcess, startService, waitFor } from "@forebay/test-harness";

export const model = "llama3.2:3b";

/** A Redis prefix of its own, a simulated Ollama, and as many real worker processes as a test wants. */
export type Fixture = AsyncDisposable & {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly simulator: Simulator;
  startWorker(env?: Record<string, string>): Promise<ServiceProcess>;
  /** Puts a job, by default a short generation; returns its id. */
  submit(job?: Record<string, unknown>, options?: { attempts?: number }): Promise<string>;
  read(id: string): Promise<JobRecord>;
  /** Waits until the job is final. */
  ended(id: string, timeoutMs?: number): Promise<JobRecord>;
  inState(id: string, state: JobRecord["state"]): Promise<JobRecord>;
};

export async function createFixture(redisUrl: string, options: SimulatorOptions = {}): Promise<Fixture> {
  const stack = new AsyncDisposableStack();
  const prefix = `worker-test-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: redisUrl, prefix }, "consumer", "worker-test", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  stack.defer(() => removeKeys(client, prefix));
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);
  const simulator = stack.use(await startSimulator(options));

  const read = async (id: string): Promise<JobRecord> => {
    const record = await readJob(space, directory, id);
    if (!record) throw new Error(`job ${id} is gone`);
    return record;
  };
  const inState = (id: string, what: string, test: (job: JobRecord) => boolean, timeoutMs = 25_000) =>
    waitFor(
      async () => {
        const job = await read(id);
        return test(job) ? job : undefined;
      },
      { what, timeoutMs },
    );

  return {
    space,
    directory,
    simulator,
    read,
    ended: (id, timeoutMs) => inState(id, "the job ended", (job) => isFinalState(job.state), timeoutMs),
    inState: (id, state) => inState(id, `the job is ${state}`, (job) => job.state === state),
    async startWorker(env = {}) {
      const worker = await startService("worker", {
        REDIS_URL: redisUrl,
        FOREBAY_KEY_PREFIX: prefix,
        OLLAMA_URLS: `gpu-1=${simulator.url}`,
        WORKER_DISCOVERY_INTERVAL_MS: "200",
        DELIVERY_BACKOFF_BASE_MS: "20",
        ...env,
      });
      stack.use(worker);
      return worker;
    },
    async submit(fields = {}, { attempts } = {}) {
      const job: InferenceJob = inferenceJobSchema.parse({
        v: 1,
        type: "generate",
        tenant: "acme",
        model,
        request: { prompt: "Why is the sky blue?" },
        ...fields,
      });
      const affinity = affinityOf({ model: job.model, options: job.request.options });
      const queueName = await directory.ensure(affinity);
      const id = createJobId(queueTag(affinity));
      await addJob(space, { id, queueName, job, attempts, policy: defaultDeliveryPolicy });
      return id;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function removeKeys(client: QueueSpace["client"], prefix: string): Promise<void> {
  const keys = await client.keys(`${prefix}:*`);
  if (keys.length > 0) await client.unlink(keys);
}
