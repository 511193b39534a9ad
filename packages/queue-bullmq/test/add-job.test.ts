import { createJobId, defaultDeliveryPolicy, lanePriority } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { addJob, countOpenJobs } from "../src/index.ts";
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

test("a job carries its attempts, and its lane as priority", async () => {
  const { id } = await fixture.submit({ attempts: 7, fields: { lane: "interactive" } });
  const key = fixture.space.jobKey((await fixture.read(id)).queueName, id);
  expect((await fixture.read(id)).attemptsMax).toBe(7);
  expect(await fixture.space.client.hget(key, "priority")).toBe(String(lanePriority.interactive));
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
