import {
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  lanePriority,
  payloadBytesMax,
} from "@forebay/queue-contracts";
import { tagFloor } from "@forebay/scheduling";
import type { Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { addJob, countOpenJobs, PayloadTooLargeError, readDueDeadlines, submitJob } from "../src/index.ts";
import { completes, createFixture, type Fixture, generateJob } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

test("a job put twice under one id is one job, the first", async () => {
  const { id, queueName } = await fixture.submit();
  const job = generateJob({ request: { prompt: "Another question" } });
  await addJob(fixture.space, { id, queueName, job, policy: defaultDeliveryPolicy });
  expect(await fixture.space.queue(queueName).count()).toBe(1);
  expect((await fixture.read(id)).job?.request).toEqual({ prompt: "Why is the sky blue?" });
  expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
});

test("a job put by many at once under one id is one job, and runs once", async () => {
  const { queueName, id: other } = await fixture.submit();
  const id = createJobId(other.slice(26));
  const add = { id, queueName, job: generateJob(), policy: defaultDeliveryPolicy };
  await Promise.all(Array.from({ length: 50 }, () => addJob(fixture.space, add)));
  const runs: string[] = [];
  await fixture.consume((delivery) => {
    runs.push(delivery.id);
    return completes();
  });
  await fixture.ended(id);
  await fixture.ended(other);
  expect(runs.toSorted()).toEqual([id, other].toSorted());
});

test("a job put again after it ran does not run again", async () => {
  let runs = 0;
  await fixture.consume(() => {
    runs++;
    return completes();
  });
  const { id, queueName } = await fixture.submit();
  await fixture.ended(id);
  await addJob(fixture.space, { id, queueName, job: generateJob(), policy: defaultDeliveryPolicy });
  await fixture.ended((await fixture.submit()).id);
  expect(runs).toBe(2);
  expect((await fixture.read(id)).state).toBe("completed");
});

test("a job carries its attempts, and its tag as priority", async () => {
  const { id } = await fixture.submit({ attempts: 7, fields: { lane: "interactive" } });
  const key = fixture.space.jobKey((await fixture.read(id)).queueName, id);
  expect((await fixture.read(id)).attemptsMax).toBe(7);
  expect(Number(await fixture.space.client.hget(key, "priority"))).toBeGreaterThanOrEqual(tagFloor);
});

test("urgent lanes run first, and within one lane the oldest", async () => {
  const lanes = ["batch", "standard", "interactive", "batch", "interactive"];
  const ids: string[] = [];
  for (const lane of lanes) ids.push((await fixture.submit({ fields: { lane } })).id);
  const order: string[] = [];
  await fixture.consume((delivery) => {
    order.push(delivery.id);
    return completes();
  });
  await Promise.all(ids.map((id) => fixture.ended(id)));
  expect(order.map((id) => ids.indexOf(id))).toEqual([2, 4, 1, 0, 3]);
});

describe("a job put here is the job BullMQ itself would have made", () => {
  test.each([
    ["at once", {}],
    ["later", { delayMs: 60_000 }],
  ])("%s", async (_, { delayMs }: { delayMs?: number }) => {
    const { space } = fixture;
    const { id, queueName } = await fixture.submit({ delayMs });
    const twin = createJobId(id.slice(26));
    await space.queue(queueName).add("infer", generateJob(), {
      jobId: twin,
      attempts: 3,
      priority: lanePriority.standard,
      ...(delayMs && { delay: delayMs }),
    });
    const { share, later, ...ours } = await hashOf(space.jobKey(queueName, id));
    expect(later !== undefined).toBe(share === undefined);
    const theirs = await hashOf(space.jobKey(queueName, twin));
    // Its place is given when it may start, and above all priorities BullMQ's own producers can name.
    if (share !== undefined) {
      const tag = Number(ours["priority"]);
      expect(ours["opts"]).toMatchObject({ priority: tag });
      theirs["priority"] = String(tag);
      theirs["opts"] = { ...(theirs["opts"] as object), priority: tag };
    }
    // What the schema fills in is left out.
    expect(inferenceJobSchema.parse(ours["data"])).toEqual(theirs["data"]);
    const told = { timestamp: "", opts: {}, data: {} };
    expect({ ...ours, ...told }).toEqual({ ...theirs, ...told });
    expect(Math.abs(Number(ours["timestamp"]) - Number(theirs["timestamp"]))).toBeLessThan(60_000);
    const { jobId: __, ...options } = theirs["opts"] as Record<string, unknown>;
    expect(ours["opts"]).toEqual(options);

    const states = await Promise.all([id, twin].map((each) => space.queue(queueName).getJobState(each)));
    expect(states[0]).toBe(states[1]);
    const events = await space.client.xrange(space.jobKey(queueName, "events"), "-", "+");
    const eventsOf = (job: string) =>
      events
        .map(([, fields]) => fields)
        .filter((fields) => fields.includes(job))
        .map((fields) => fields[1]);
    // Nobody reads `added` and `waiting`.
    expect(eventsOf(id)).toEqual(delayMs ? eventsOf(twin) : []);
    const meta = await space.client.hgetall(space.jobKey(queueName, "meta"));
    expect(meta["opts.maxLenEvents"]).toBe("200");
  });
});

/** The last a job added with BullMQ's own means can ask for. */
const priorityMax = 2 ** 21 - 1;

describe("a job put here leaves its queue as BullMQ itself would have", () => {
  type Prepare = (queue: Queue) => Promise<unknown>;
  const states: [state: string, prepare: Prepare][] = [
    ["is empty", () => Promise.resolve()],
    ["is paused", (queue) => queue.pause()],
    ["may run two at once and runs none", (queue) => queue.setGlobalConcurrency(2)],
    [
      "runs all it may",
      async (queue) => {
        await queue.setGlobalConcurrency(2);
        await fixture.space.client.lpush(queue.toKey("active"), "one", "two");
      },
    ],
    [
      "has had jobs of other lanes",
      async (queue) => {
        for (const priority of [1, 2_000_000])
          await queue.add("infer", {}, { jobId: `j${priority}`, priority });
      },
    ],
  ];
  test.each(states)("when it %s", async (_, prepare) => {
    const { space } = fixture;
    const ours = space.queue("ours");
    const theirs = space.queue("theirs");
    for (const queue of [ours, theirs]) await prepare(queue);
    for (let put = 0; put < 3; put++) {
      const id = createJobId("abcdefgh");
      const add = { id, queueName: "ours", job: generateJob(), policy: defaultDeliveryPolicy };
      await submitJob(space, add);
      const options = { jobId: id, attempts: 3, priority: priorityMax };
      await theirs.add("infer", generateJob(), options);
    }
    expect(await contentsOf(ours)).toEqual(await contentsOf(theirs));
  });

  /** Everything of the queue but its jobs, their scores, its version, which other tests compare, and its events. */
  async function contentsOf(queue: Queue): Promise<unknown> {
    const { client } = fixture.space;
    const key = (part: string): string => queue.toKey(part);
    return {
      prioritized: await client.zrange(key("prioritized"), "0", "-1"),
      marker: await client.zrange(key("marker"), "0", "-1", "WITHSCORES"),
      counters: await client.mget(key("id"), key("pc")),
      waiting: await client.lrange(key("wait"), 0, -1),
      meta: await client.hgetall(key("meta")),
    };
  }
});

async function hashOf(key: string): Promise<Record<string, unknown>> {
  const hash = await fixture.space.client.hgetall(key);
  const [opts, data] = [hash["opts"], hash["data"]].map((text) => JSON.parse(text ?? "{}") as unknown);
  return { ...hash, opts, data };
}

test("a job knows how many run before it", async () => {
  const ahead: number[] = [];
  const { queueName } = await fixture.submit();
  for (const lane of ["batch", "interactive", "standard", "interactive"]) {
    const add = {
      id: createJobId("abcdefgh"),
      queueName,
      job: generateJob({ lane }),
      policy: defaultDeliveryPolicy,
    };
    const answer = await submitJob(fixture.space, add);
    ahead.push(answer.kind === "added" ? answer.ahead : -1);
  }
  expect(ahead).toEqual([1, 0, 2, 1]);
});

test("of many at once exactly as many are taken as the tenant may have open", async () => {
  const { queueName } = await fixture.submit();
  const spaces = await Promise.all([fixture.openSpace(), fixture.openSpace()]);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      const add = {
        id: createJobId("abcdefgh"),
        queueName,
        job: generateJob(),
        policy: defaultDeliveryPolicy,
      };
      return submitJob(spaces[i % 2] ?? fixture.space, add, { openMax: 8 });
    }),
  );
  expect(answers.filter(({ kind }) => kind === "added")).toHaveLength(7);
  expect(answers.filter(({ kind }) => kind === "full")).toHaveLength(53);
  expect(await countOpenJobs(fixture.space, "acme")).toBe(8);
});

test("a start deadline is watched from the moment the job is there", async () => {
  const startBy = Date.now() + 60_000;
  const { id } = await fixture.submit({ fields: { start_by: startBy } });
  expect(await readDueDeadlines(fixture.space, startBy, 10)).toEqual([id]);
});

test("a payload larger than a queue should hold is refused", async () => {
  const { queueName } = await fixture.submit();
  const job = generateJob({ request: { prompt: "x".repeat(payloadBytesMax) } });
  const add = { id: createJobId("abcdefgh"), queueName, job, policy: defaultDeliveryPolicy };
  await expect(submitJob(fixture.space, add)).rejects.toThrow(PayloadTooLargeError);
  expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
});

describe("jobs put in one turn", () => {
  type Answers = Awaited<ReturnType<typeof submitJob>>[];
  const lanes = ["standard", "standard", "batch", "standard", "interactive", "standard"] as const;

  test("stand where they would, had they been put one after the other", async () => {
    const put = async (queueName: string, tenant: string, together: boolean): Promise<unknown> => {
      const calls = lanes.map((lane) => () => {
        const job = generateJob({ tenant, lane });
        const add = { id: createJobId("abcdefgh"), queueName, job, policy: defaultDeliveryPolicy };
        return submitJob(fixture.space, add);
      });
      const answers: Answers = together ? await Promise.all(calls.map((call) => call())) : [];
      if (!together) for (const call of calls) answers.push(await call());
      // Of each lane: others of the same turn may be before or after them.
      const tags = answers.map((answer) => (answer.kind === "added" ? answer.tag : -1));
      return {
        tags,
        waiting: await fixture.space.client.zcard(fixture.space.jobKey(queueName, "prioritized")),
      };
    };
    expect(await put("together", "one", true)).toEqual(await put("apart", "two", false));
  });

  test("know how many of them run before them", async () => {
    const { queueName } = await fixture.submit();
    const calls = Array.from({ length: 40 }, () => {
      const add = {
        id: createJobId("abcdefgh"),
        queueName,
        job: generateJob(),
        policy: defaultDeliveryPolicy,
      };
      return submitJob(fixture.space, add);
    });
    const answers = await Promise.all(calls);
    const ahead = answers.map((answer) => (answer.kind === "added" ? answer.ahead : -1));
    expect(ahead).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  test("take turns by the users they name", async () => {
    const users = ["ann", "ann", "ann", "bob"];
    const puts = await Promise.all(users.map((user) => fixture.submit({ fields: { user } })));
    const order: string[] = [];
    await fixture.consume((delivery) => {
      order.push(delivery.id);
      return completes();
    });
    await Promise.all(puts.map(({ id }) => fixture.ended(id)));
    // Which of the first two was put first is chance.
    expect(order.indexOf(puts[3]?.id ?? "")).toBeLessThan(2);
  });

  test("with one key are one job, and one that says something else is told", async () => {
    const { queueName } = await fixture.submit();
    const calls = ["same", "same", "other"].map((fingerprint) => {
      const add = {
        id: createJobId("abcdefgh"),
        queueName,
        job: generateJob(),
        policy: defaultDeliveryPolicy,
      };
      return submitJob(fixture.space, add, { claim: { key: "k", fingerprint, ttlS: 60 } });
    });
    const answers = await Promise.all(calls);
    expect(answers.map(({ kind }) => kind)).toEqual(["added", "same", "mismatch"]);
    expect(await countOpenJobs(fixture.space, "acme")).toBe(2);
  });

  test("fail one by one: what stands in the way of one does not stop others", async () => {
    const { queueName } = await fixture.submit();
    const { client } = fixture.space;
    await client.set(`${fixture.prefix}:limits:globex`, "no hash");
    const rates = { requestsPerMin: 100 };
    const put = (tenant: string) => {
      const job = generateJob({ tenant });
      const add = { id: createJobId("abcdefgh"), queueName, job, policy: defaultDeliveryPolicy };
      return submitJob(fixture.space, add, { rates });
    };
    const answers = await Promise.allSettled([put("acme"), put("globex"), put("acme")]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});
