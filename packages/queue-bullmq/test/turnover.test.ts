import { defaultDeliveryPolicy } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import {
  type ConsumerOptions,
  type Delivery,
  type LogEntry,
  logKey,
  openConsumer,
  type QueueSpace,
  readLog,
} from "../src/index.ts";
import { completes, createFixture, discards, type Fixture, type Place, retries } from "./queue-fixture.ts";

let fixture: Fixture;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  fixture = stack.use(await createFixture(inject("redisUrl")));
});
afterEach(() => stack.disposeAsync());

const submit = (count: number, attempts = 1): Promise<Place[]> =>
  Promise.all(Array.from({ length: count }, () => fixture.submit({ attempts })));

/** Runs the fixture's jobs on this connection. */
function consume(space: QueueSpace, queueName: string, handle: ConsumerOptions["handle"]): void {
  const consumer = openConsumer(space, {
    queueName,
    concurrency: 1,
    worker: "w",
    policy: defaultDeliveryPolicy,
    lockMs: 10_000,
    stalledCheckMs: 5_000,
    handle,
    on: {
      stalled: () => undefined,
      lockLost: () => undefined,
      error: (error) => fixture.seen.errors.push(error),
    },
  });
  stack.defer(() => consumer.close(AbortSignal.abort()));
}

const logOf = async (job: Place): Promise<LogEntry[]> => {
  const page = await readLog(fixture.space, job, 1);
  return page.kind === "entries" ? page.entries : [];
};

test("the end of a job and the beginning of the next are one command", async () => {
  const jobs = await submit(40);
  const space = await fixture.openSpace();
  const send = space.client.sendCommand.bind(space.client);
  let scripts = 0;
  space.client.sendCommand = (command, stream) => {
    if (command.name === "evalsha") scripts++;
    return send(command, stream);
  };
  consume(space, jobs[0]?.queueName ?? "", async () => ({ outcome: completes(), gpuMs: 1 }));
  for (const { id } of jobs) {
    const job = await fixture.ended(id);
    expect(job.starts).toMatchObject([{ worker: "w", outcome: "completed", gpu_ms: 1 }]);
  }
  // And the first looks, and what was learned of the model.
  expect(scripts).toBeLessThan(40 + 15);
});

test("whichever way a job came to its worker, each of its starts is in its record once", async () => {
  const handled: string[] = [];
  const jobs = await submit(6, 2);
  // Each way of ending takes the next job with another command.
  await fixture.consume((delivery) => {
    handled.push(delivery.id);
    return [completes(), discards(), retries(1)][handled.length % 3] ?? completes();
  });
  for (const { id } of jobs) {
    const { starts } = await fixture.ended(id);
    expect(starts.map(({ outcome }) => outcome)).not.toContain(undefined);
    expect(starts).toHaveLength(handled.filter((each) => each === id).length);
  }
});

test("scripts that Redis has forgotten are sent again, and no job notices", async () => {
  const jobs = await submit(5);
  await fixture.consume(async () => {
    await fixture.space.client.script("FLUSH");
    return completes();
  });
  for (const { id } of jobs) expect(await fixture.ended(id)).toMatchObject({ state: "completed" });
  expect(fixture.seen.errors).toEqual([]);
});

test("an answer that comes with the end is in the log before the job is seen to have ended", async () => {
  const [job] = await submit(1);
  if (!job) throw new Error("no job");
  const unwritten = { text: "Because." };
  consume(await fixture.openSpace(), job.queueName, async () => ({
    outcome: completes(),
    gpuMs: 1,
    unwritten,
  }));
  await fixture.ended(job.id);
  const log = await logOf(job);
  expect(log.map(({ event }) => event)).toEqual(["state", "token"]);
  expect(log.at(-1)).toMatchObject({ seq: 3, follows: 2, data: JSON.stringify(unwritten) });
});

test("and where Redis came back without what readers had seen, they are told to begin anew", async () => {
  const [job] = await submit(1);
  if (!job) throw new Error("no job");
  const handle = async ({ id }: Delivery) => {
    await fixture.space.client.del(logKey(fixture.space.jobKey(job.queueName, id)));
    return { outcome: completes(), gpuMs: 1, unwritten: { text: "Because." } };
  };
  consume(await fixture.openSpace(), job.queueName, handle);
  await fixture.ended(job.id);
  expect((await logOf(job)).map(({ seq, follows, event }) => [seq, follows, event])).toEqual([
    [3, 1, "restart"],
    [4, 3, "token"],
  ]);
});
