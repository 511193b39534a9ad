import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { endWaitingJob, hasEnded, type Outcome, readJob, readJobState, recordMove } from "../src/index.ts";
import {
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  type Place,
  retries,
} from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const stateOf = (id: string) => readJobState(fixture.space, fixture.directory, id);

/** The state alone, as the whole job says it. */
async function expectState({ id, queueName }: Place, state: string, ended: boolean): Promise<void> {
  expect(await stateOf(id)).toBe(state);
  expect((await readJob(fixture.space, fixture.directory, id))?.state).toBe(state);
  expect(await hasEnded(fixture.space, queueName, id)).toBe(ended);
}

test("a job that waits, is delayed, runs", async () => {
  await expectState(await fixture.submit({ delayMs: 60_000 }), "delayed", false);
  const { opened, open } = gate();
  const place = await fixture.submit();
  await expectState(place, "waiting", false);
  await fixture.consume(async () => {
    await opened;
    return completes();
  });
  await fixture.begun(place.id);
  await expectState(place, "active", false);
  open();
  await fixture.ended(place.id);
  await expectState(place, "completed", true);
});

test.each<[string, Outcome[]]>([
  ["completed", [completes()]],
  ["completed", [retries(1), completes()]],
  ["failed", [discards()]],
  ["cancelled", [discards("cancelled")]],
])("a job that ended as %s", async (state, outcomes) => {
  await fixture.consume(() => outcomes.shift() ?? completes());
  const place = await fixture.submit();
  await fixture.ended(place.id);
  await expectState(place, state, true);
});

test("a job that was cancelled or expired while it waited", async () => {
  for (const code of ["cancelled", "expired"] as const) {
    const place = await fixture.submit();
    await endWaitingJob(fixture.space, place, { code, message: "" });
    await expectState(place, code, true);
  }
});

test("a job that is not there, or elsewhere", async () => {
  const place = await fixture.submit();
  const other = createJobId(place.id.slice(26));
  expect(await stateOf(other)).toBeUndefined();
  expect(await hasEnded(fixture.space, place.queueName, other)).toBeUndefined();
  const moved = await fixture.submit({ fields: { model: "qwen3:8b" } });
  await fixture.space.client.rename(
    fixture.space.jobKey(moved.queueName, moved.id),
    fixture.space.jobKey(moved.queueName, other),
  );
  await recordMove(fixture.space, other, moved.queueName, 60);
  expect(await stateOf(other)).toBe("waiting");
});
