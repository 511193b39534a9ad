import {
  applyCommand,
  type CommandWish,
  type DeadLetterCommand,
  recordDeadLetter,
} from "@forebay/queue-bullmq";
import { defaultDeliveryPolicy } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./dlq-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function apply(wish: CommandWish, actionId: string, id: string) {
  const actor = { kind: "key" as const, key_id: null, tenant: "ops", role: "admin" };
  const command = { ...wish, v: 1, actor, requested_at: new Date().toISOString() } as DeadLetterCommand;
  const { space, directory } = fixture;
  const deps = { space, directory, policy: defaultDeliveryPolicy, onRedriven: () => undefined };
  return applyCommand(deps, command, actionId, id);
}

/** What a sweep does for one failed job. */
async function record(id: string): Promise<void> {
  const { queueName } = await fixture.job(id);
  await recordDeadLetter(fixture.space, { name: queueName, model }, id, { dueMs: () => undefined });
}

async function deadLetter(): Promise<string> {
  const [id = ""] = await fixture.failJobs(1);
  await record(id);
  return id;
}

test.each(["redrive", "park", "drop"] as const)(
  "a %s that is done again changes nothing more",
  async (action) => {
    const id = await deadLetter();
    const wish = { action, target: { ids: [id] } };
    expect(await apply(wish, "act-1", id)).toBe("apply");
    const [letter, job] = [await fixture.letter(id), await fixture.job(id)];
    expect(await apply(wish, "act-1", id)).toBe("done");
    expect([await fixture.letter(id), await fixture.job(id)]).toEqual([letter, job]);
    // Another action of the same kind finds nothing to do.
    expect(await apply(wish, "act-2", id)).toBe("skipped");
  },
);

test("an erase that is done again says the same, and one after it finds nothing", async () => {
  const id = await deadLetter();
  const wish = { action: "erase" as const, target: { ids: [id] } };
  expect(await apply(wish, "act-1", id)).toBe("apply");
  expect(await apply(wish, "act-1", id)).toBe("apply");
  expect(await apply(wish, "act-2", id)).toBe("missing");
});

test("a redrive gone on with late leaves alone what has failed and was parked since", async () => {
  const id = await deadLetter();
  const redrive = { action: "redrive" as const, target: { ids: [id] } };
  expect(await apply(redrive, "act-1", id)).toBe("apply");
  const worker = await fixture.openWorker();
  await fixture.ended(id);
  await worker.close(AbortSignal.timeout(1_000));
  await record(id);
  expect(await apply({ action: "park", target: { ids: [id] } }, "act-2", id)).toBe("apply");
  expect(await apply(redrive, "act-1", id)).toBe("done");
  expect(await fixture.letter(id)).toMatchObject({ state: "parked", redrives: 1 });
  expect(await fixture.job(id)).toMatchObject({ state: "failed" });
});

test("a failure that is recorded again by a late sweep changes nothing", async () => {
  const id = await deadLetter();
  await apply({ action: "park", target: { ids: [id] } }, "act-1", id);
  const { queueName } = await fixture.job(id);
  // As after a kill between the letter and the note on the job.
  await fixture.space.client.hdel(fixture.space.jobKey(queueName, id), "dl");
  await record(id);
  expect(await fixture.letter(id)).toMatchObject({ state: "parked", redrives: 0 });
  expect(await fixture.job(id)).toMatchObject({ deadLettered: true });
});
