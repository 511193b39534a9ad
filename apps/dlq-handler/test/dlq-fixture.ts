import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import {
  type ActionRecord,
  addDeadLetterCommand,
  addJob,
  closeRedis,
  type CommandWish,
  type Consumer,
  createQueueDirectory,
  type DeadLetterCommand,
  type DeadLetterFilter,
  type DeadLetterSummary,
  type JobRecord,
  type LetterPosition,
  listDeadLetters,
  openConsumer,
  openQueueSpace,
  openRedis,
  type Outcome,
  type QueueDirectory,
  type QueueSpace,
  readAction,
  readDeadLetter,
  readJob,
  waitForRedis,
} from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  type DeadLetter,
  defaultDeliveryPolicy,
  type InferenceJob,
  inferenceJobSchema,
  isFinalState,
  queueTag,
} from "@forebay/queue-contracts";
import {
  type ProcessHandle,
  type ServiceProcess,
  startProcess,
  startService,
  waitFor,
} from "@forebay/test-harness";
import { decideByPrompt } from "./fixtures/decide-by-prompt.ts";

export const model = "llama3.2:3b";

/** A Redis prefix of its own, real handlers as processes, and workers that do what a job's prompt says. */
export type Fixture = AsyncDisposable & {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  startHandler(env?: Record<string, string>): Promise<ServiceProcess>;
  /** A handler that has said its first word: it is at work, or about to be. */
  launchHandler(): Promise<ProcessHandle>;
  /** Works on the model's queue in this process; by default as the prompts say. */
  openWorker(work?: { model?: string; handle?: (payload: unknown) => Outcome }): Promise<Consumer>;
  startSkewedWorker(offsetMs: number): Promise<ProcessHandle>;
  /** Puts a job, by default one that fails; returns its id. */
  submit(job?: Record<string, unknown>, options?: { id?: string }): Promise<string>;
  /** Jobs that have failed for good, with nobody else watching. */
  failJobs(count: number, job?: Record<string, unknown>): Promise<string[]>;
  job(id: string): Promise<JobRecord>;
  ended(id: string): Promise<JobRecord>;
  letter(id: string): Promise<DeadLetter>;
  /** Waits until the letter is as wanted. */
  letterWith(id: string, wanted: Partial<DeadLetter>): Promise<DeadLetter>;
  letters(filter?: DeadLetterFilter): Promise<DeadLetterSummary[]>;
  /** Asks for a command and waits until it ended. */
  command(command: CommandWish): Promise<ActionRecord>;
  actionEnded(id: string): Promise<ActionRecord>;
};

const failing = { request: { prompt: "fail backend_reset the connection broke after 17 tokens" } };

export async function createFixture(redisUrl: string): Promise<Fixture> {
  const stack = new AsyncDisposableStack();
  const prefix = `dlq-test-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: redisUrl, prefix }, "consumer", "dlq-test", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  stack.defer(() => removeKeys(client, prefix));
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);

  const handlerEnv = {
    REDIS_URL: redisUrl,
    FOREBAY_KEY_PREFIX: prefix,
    DLQ_SWEEP_INTERVAL_MS: "200",
    DLQ_COMMAND_LOCK_MS: "500",
    DLQ_COMMAND_STALLED_CHECK_MS: "250",
    DLQ_GAUGES_INTERVAL_MS: "100",
  };

  const job = async (id: string): Promise<JobRecord> => {
    const record = await readJob(space, directory, id);
    if (!record) throw new Error(`job ${id} is gone`);
    return record;
  };
  const ended = (id: string) =>
    waitFor(
      async () => {
        const record = await job(id);
        return isFinalState(record.state) ? record : undefined;
      },
      { what: `job ${id} ended`, timeoutMs: 25_000 },
    );
  const letter = async (id: string): Promise<DeadLetter> => {
    const found = await readDeadLetter(space, id);
    if (!found) throw new Error(`there is no dead letter ${id}`);
    return found;
  };

  const openWorker: Fixture["openWorker"] = async (work = {}) => {
    const consumer = openConsumer(space, {
      queueName: await directory.ensure(affinityOf({ model: work.model ?? model })),
      concurrency: 50,
      worker: "test-worker",
      policy: { ...defaultDeliveryPolicy, backoffBaseMs: 10 },
      lockMs: 30_000,
      stalledCheckMs: 30_000,
      handle: async ({ payload, recordBackend }) => {
        await recordBackend("gpu-1");
        return { outcome: (work.handle ?? decideByPrompt)(payload), gpuMs: 5 };
      },
      on: { stalled: () => undefined, lockLost: () => undefined, error: () => undefined },
    });
    let closing: Promise<void> | undefined;
    const close: Consumer["close"] = (deadline) => (closing ??= consumer.close(deadline));
    stack.defer(() => close(AbortSignal.timeout(1_000)));
    return { ...consumer, close };
  };

  const submit: Fixture["submit"] = async (fields = failing, options = {}) => {
    const payload: InferenceJob = inferenceJobSchema.parse({
      v: 1,
      type: "generate",
      tenant: "acme",
      model,
      request: { prompt: "say something" },
      ...fields,
    });
    const affinity = affinityOf({ model: payload.model, options: payload.request.options });
    const queueName = await directory.ensure(affinity);
    const id = options.id ?? createJobId(queueTag(affinity));
    await addJob(space, { id, queueName, job: payload, policy: defaultDeliveryPolicy });
    return id;
  };

  const failJobs: Fixture["failJobs"] = async (count, fields = failing) => {
    const ids = await Promise.all(Array.from({ length: count }, () => submit(fields)));
    const worker = await openWorker();
    await Promise.all(ids.map(ended));
    await worker.close(AbortSignal.timeout(1_000));
    return ids;
  };

  const actionEnded = (id: string) =>
    waitFor(
      async () => {
        const action = await readAction(space, id);
        return action?.finishedAt ? action : undefined;
      },
      { what: `action ${id} ended`, timeoutMs: 25_000 },
    );

  return {
    space,
    directory,
    job,
    ended,
    letter,
    submit,
    failJobs,
    openWorker,
    actionEnded,
    async startHandler(env = {}) {
      const handler = await startService("dlq-handler", { ...handlerEnv, ...env });
      stack.use(handler);
      return handler;
    },
    async launchHandler() {
      const handler = await startProcess({
        file: fileURLToPath(new URL("../src/main.ts", import.meta.url)),
        env: { ...handlerEnv, DLQ_OPS_PORT: "0" },
        ready: /"msg"/,
      });
      stack.use(handler);
      return handler;
    },
    async startSkewedWorker(offsetMs) {
      const worker = await startProcess({
        file: fileURLToPath(new URL("fixtures/failing-worker.ts", import.meta.url)),
        env: {
          REDIS_URL: redisUrl,
          FOREBAY_KEY_PREFIX: prefix,
          CLOCK_OFFSET_MS: String(offsetMs),
        },
        ready: /working/,
      });
      stack.use(worker);
      return worker;
    },
    letterWith: (id, wanted) =>
      waitFor(
        async () => {
          const found = await readDeadLetter(space, id);
          const same = Object.entries(wanted).every(
            ([name, value]) => found?.[name as keyof DeadLetter] === value,
          );
          return same ? found : undefined;
        },
        { what: `the letter of ${id} has ${JSON.stringify(wanted)}`, timeoutMs: 20_000 },
      ),
    async letters(filter = {}) {
      const all: DeadLetterSummary[] = [];
      let after: LetterPosition | undefined;
      do {
        const page = await listDeadLetters(space, { filter, limit: 500, after });
        all.push(...page.letters);
        after = page.next;
      } while (after);
      return all;
    },
    async command(input) {
      const command = {
        v: 1 as const,
        actor: { kind: "key" as const, key_id: "key_test", tenant: "ops", role: "operator" },
        requested_at: new Date().toISOString(),
        ...input,
      };
      return actionEnded(await addDeadLetterCommand(space, command as DeadLetterCommand));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function removeKeys(client: QueueSpace["client"], prefix: string): Promise<void> {
  const keys = await client.keys(`${prefix}:*`);
  if (keys.length > 0) await client.unlink(keys);
}
