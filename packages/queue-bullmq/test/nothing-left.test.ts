import { affinityOf, createJobId, defaultDeliveryPolicy, queueTag } from "@forebay/queue-contracts";
import { type RedisSandbox, startRedis, waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  addJob,
  announceWorker,
  closeRedis,
  createQueueDirectory,
  openConsumer,
  openQueueSpace,
  openRedis,
  type QueueSpace,
  readJob,
  readQueueGauges,
  type Redis,
  removeJob,
  retractWorker,
  submitJob,
  waitForRedis,
  watchQueueDirectory,
  watchStops,
} from "../src/index.ts";
import { completes, discards, generateJob, model } from "./queue-fixture.ts";

const prefix = "nothing-left";
let redis: RedisSandbox;
let probe: Redis;
beforeAll(async () => {
  redis = await startRedis();
  probe = await connect("probe");
});
afterAll(async () => {
  await closeRedis(probe);
  await redis.stop();
});

async function connect(name: string): Promise<Redis> {
  const client = openRedis({ url: redis.url, prefix }, "consumer", name, () => undefined);
  await waitForRedis(client, 10_000);
  return client;
}
const connections = async (): Promise<number> =>
  String(await probe.client("LIST"))
    .trim()
    .split("\n").length;
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

/** What a worker and an API do in their lives, in short. Everything it opened is closed when it returns. */
async function liveAndEnd(jobs: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const client = await connect("worker");
  stack.defer(() => closeRedis(client));
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);
  const affinity = affinityOf({ model });
  const queueName = await directory.ensure(affinity);
  stack.use(await watchQueueDirectory(space, () => undefined));
  stack.use(await watchStops(space, () => undefined));
  await announceWorker(space, { worker: "w", started_at: "", backends: [], finished_per_s: {} }, 60);
  stack.defer(() => retractWorker(space, "w"));
  const consumer = openConsumer(space, {
    queueName,
    concurrency: 2,
    worker: "w",
    policy: { ...defaultDeliveryPolicy, backoffBaseMs: 1 },
    lockMs: 10_000,
    stalledCheckMs: 5_000,
    async handle(delivery) {
      await delivery.recordBackend("gpu-1");
      await delivery.reportProgress(3);
      await delivery.appendTokens({ text: "Because." }, 0);
      return { outcome: delivery.attemptsMade === 0 ? completes() : discards(), gpuMs: 1 };
    },
    on: { stalled: () => undefined, lockLost: () => undefined, error: () => undefined },
  });
  stack.defer(() => consumer.close(new AbortController().signal));
  const ids = Array.from({ length: jobs }, () => createJobId(queueTag(affinity)));
  for (const id of ids)
    await addJob(space, { id, queueName, job: generateJob(), policy: defaultDeliveryPolicy });
  await Promise.all(ids.map((id) => untilEnded(space, directory, id)));
  await readQueueGauges(space, queueName);
  // Its worker notes the end of a job a moment after it is seen.
  await consumer.close(new AbortController().signal);
  for (const id of ids) await removeJob(space, { id, queueName, tenant: "acme" });
}

const untilEnded = (space: QueueSpace, directory: ReturnType<typeof createQueueDirectory>, id: string) =>
  waitFor(async () => (await readJob(space, directory, id))?.finishedAt, { what: "the job ended" });

test("what was opened is closed: no connection and no timer outlives it", async () => {
  const before = { connections: await connections(), timers: timers() };
  await liveAndEnd(5);
  await waitFor(async () => (await connections()) === before.connections, { what: "all connections ended" });
  await waitFor(() => timers() <= before.timers, { what: "all timers ended" });
});

test("jobs that were erased leave no key, so that keys do not grow with the jobs that ever were", async () => {
  // A queue's counter is there, or not, by whether a worker saw it empty.
  const keys = async () => (await probe.keys("*")).filter((key) => !key.endsWith(":pc")).toSorted();
  await liveAndEnd(1);
  const afterOne = await keys();
  await liveAndEnd(30);
  expect(await keys()).toEqual(afterOne);
});

test("every key is under the prefix", async () => {
  const space = openQueueSpace(probe, prefix);
  const affinity = affinityOf({ model: "llama3.2:3b" });
  const add = {
    id: createJobId(queueTag(affinity)),
    queueName: await createQueueDirectory(space).ensure(affinity),
    job: generateJob({ start_by: Date.now() + 60_000 }),
    policy: defaultDeliveryPolicy,
  };
  await submitJob(space, add, { claim: { key: "k", fingerprint: "f", ttlS: 60 } });
  await liveAndEnd(2);
  await space.close();
  const keys = await probe.keys("*");
  expect(keys.filter((key) => !key.startsWith(`${prefix}:`))).toEqual([]);
});
