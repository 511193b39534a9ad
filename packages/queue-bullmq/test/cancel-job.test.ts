import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { type CancelAnswer, cancelJob, countOpenJobs, type Outcome, watchStops } from "../src/index.ts";
import {
  abortOf,
  completes,
  createFixture,
  discards,
  type Fixture,
  gate,
  type Handler,
  type Place,
} from "./queue-fixture.ts";

let fixture: Fixture;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  stack = new AsyncDisposableStack();
});
afterEach(async () => {
  await stack.disposeAsync();
  await fixture[Symbol.asyncDispose]();
});

const cancel = (place: Place): Promise<CancelAnswer> => cancelJob(fixture.space, place);

/** A consumer that hears of wishes to stop, as a worker does. */
async function consume(handle: Handler, concurrency = 1): Promise<void> {
  const consumer = await fixture.consume(handle, { concurrency });
  stack.use(await watchStops(fixture.space, (id, reason) => consumer.stopJob(id, reason)));
}

/** Works until it is told to go on, or to stop. */
const worksUntil =
  (opened: Promise<void>): Handler =>
  async ({ signal }): Promise<Outcome> => {
    const reason = await Promise.race([opened, abortOf(signal)]);
    if (reason === "shutdown") return { kind: "interrupted" };
    return reason === "cancelled" ? discards("cancelled") : completes();
  };

test("a waiting job is cancelled when the call returns", async () => {
  const place = await fixture.submit();
  expect(await cancel(place)).toBe("cancelled");
  expect(await fixture.read(place.id)).toMatchObject({ state: "cancelled", starts: [] });
  expect(await cancel(place)).toBe("ended_before");
});

test("a running job is stopped by the worker that runs it, whichever that is", async () => {
  const never = gate().opened;
  await Promise.all([consume(worksUntil(never)), consume(worksUntil(never))]);
  const places = [await fixture.submit(), await fixture.submit()];
  for (const { id } of places) await fixture.begun(id);
  expect(await Promise.all(places.map(cancel))).toEqual(["stopping", "stopping"]);
  for (const { id } of places) {
    expect(await fixture.ended(id)).toMatchObject({ state: "cancelled", failure: { code: "cancelled" } });
  }
});

test("a job whose worker does not hear of it is stopped when it starts again", async () => {
  const never = gate().opened;
  const deaf = await fixture.consume(worksUntil(never));
  const place = await fixture.submit();
  await fixture.begun(place.id);
  expect(await cancel(place)).toBe("stopping");
  expect(await fixture.read(place.id)).toMatchObject({ state: "active", stop: "cancelled" });
  await deaf.close(AbortSignal.abort());
  await consume(worksUntil(never));
  expect(await fixture.ended(place.id)).toMatchObject({ state: "cancelled", starts: [{}, {}] });
});

test("a job that ended keeps its result, and one that is not there is missing", async () => {
  await consume(() => completes());
  const place = await fixture.submit();
  await fixture.ended(place.id);
  expect(await cancel(place)).toBe("ended_before");
  expect(await fixture.read(place.id)).toMatchObject({ state: "completed", stop: undefined });
  expect(await cancel({ ...place, id: createJobId(place.id.slice(26)) })).toBe("missing");
});

test("raced against consumers two hundred times, each job ends once: with its result or cancelled", async () => {
  // Every job is somewhere between waiting and done when it is cancelled.
  const handle: Handler = async ({ signal }) => {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    return signal.aborted ? discards("cancelled") : completes();
  };
  await Promise.all([consume(handle, 2), consume(handle, 2)]);
  const answers = new Map<string, CancelAnswer>();
  for (let round = 0; round < 200; round++) {
    const place = await fixture.submit();
    for (let turn = 0; turn < round % 20; turn++) await new Promise(setImmediate);
    answers.set(place.id, await cancel(place));
  }
  for (const [id, answer] of answers) {
    const { state, result, failure } = await fixture.ended(id);
    expect([answer, state]).toBeOneOf([
      ["cancelled", "cancelled"],
      ["stopping", "cancelled"],
      ["stopping", "completed"],
      ["ended_before", "completed"],
    ]);
    expect([result === undefined, failure === undefined]).toContain(true);
    expect([result === undefined, failure === undefined]).toContain(false);
  }
  expect(await fixture.space.client.keys(`${fixture.prefix}:*:lock`)).toEqual([]);
  await fixture.until([...answers.keys()][0] ?? "", "the index knows all ended", async () => {
    return (await countOpenJobs(fixture.space, "acme")) === 0;
  });
});
