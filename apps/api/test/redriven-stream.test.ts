import {
  addDeadLetterCommand,
  createQueueDirectory,
  type QueueSpace,
  readDeadLetter,
  readJob,
} from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import {
  createLiveStack,
  followToEnd,
  get,
  lastView,
  type LiveStack,
  submit,
  textOf,
} from "./live-fixture.ts";
import type { SseEvent } from "./read-events.ts";

const otherModel = "qwen3:8b";

let live: LiveStack;
let api: string;
let space: QueueSpace;
beforeEach(async () => {
  live = await createLiveStack(inject("redisUrl"));
  api = (await live.startApi()).url;
  await live.startWorker();
  await live.startDlqHandler();
  space = await live.openSpace();
});
afterEach(() => live[Symbol.asyncDispose]());

/** A job that wrote some tokens and failed for good, with a dead letter of that, and what a reader saw. */
async function deadJob(): Promise<{ id: string; seen: SseEvent[] }> {
  live.simulator.setFault({
    kind: "in_band_error",
    message: "CUDA error: out of memory",
    after_tokens: 20,
    times: 1,
    match_prompt: "break",
  });
  const id = await submit(api, { prompt: "break", attempts: 1, options: { num_predict: 200, seed: 3 } });
  const seen = await followToEnd(api, id);
  expect(seen.at(-1)?.event).toBe("failed");
  expect(textOf(seen)).not.toBe("");
  await waitFor(() => readDeadLetter(space, id), { what: "it has a dead letter" });
  return { id, seen };
}

async function redrive(id: string, patch?: { model: string }): Promise<void> {
  await addDeadLetterCommand(space, {
    v: 1,
    action: "redrive",
    actor: { kind: "key", key_id: "key_1", tenant: "ops", role: "operator" },
    requested_at: new Date().toISOString(),
    target: { ids: [id] },
    ...(patch && { patch }),
  });
  const isBack = async () => {
    const { status, body } = await get(api, `/jobs/${id}`);
    return status === 200 && body.state !== "failed";
  };
  await waitFor(isBack, { what: "it is back" });
}

test("a job redriven to another model keeps its log: readers go on where they were", async () => {
  const { id, seen } = await deadJob();
  await redrive(id, { model: otherModel });
  const all = await followToEnd(api, id);
  expect(all.map((event) => event.id)).toEqual(all.map((_, index) => index + 1));
  // The closing event's number is the log's now, and says the same.
  expect(all.slice(0, seen.length - 1)).toEqual(seen.slice(0, -1));
  expect(all[seen.length - 1]).toMatchObject({ id: seen.length, event: "state", data: { state: "failed" } });
  for (const position of [1, seen.length - 2, seen.length]) {
    const rest = await followToEnd(api, id, position);
    expect(rest).toEqual(all.slice(position));
    expect(rest.map(({ event }) => event)).toContain("restart");
    expect(textOf(rest)).toBe(lastView(rest).result?.response);
  }
  expect(lastView(all)).toMatchObject({ state: "completed", model: otherModel });
});

test("a job redriven in place keeps its log, too", async () => {
  const { id, seen } = await deadJob();
  await redrive(id);
  const rest = await followToEnd(api, id, seen.length);
  expect(rest.map(({ event }) => event).slice(0, 3)).toEqual(["restart", "state", "state"]);
  expect(rest[0]?.id).toBe(seen.length + 1);
  expect(textOf(rest)).toBe(lastView(rest).result?.response);
});

test("a job made again after it had aged out gives out no number twice", async () => {
  const { id, seen } = await deadJob();
  const job = await readJob(space, createQueueDirectory(space), id);
  await space.queue(job?.queueName ?? "").remove(id);
  expect((await get(api, `/jobs/${id}`)).status).toBe(404);
  await redrive(id);
  const all = await followToEnd(api, id);
  const [accepted, ...later] = all.map((event) => event.id);
  expect(accepted).toBe(1);
  expect(Math.min(...later)).toBeGreaterThan(seen.length);
  expect(later).toEqual(later.map((_, index) => (later[0] ?? 0) + index));
  for (const position of [1, 5, seen.length, (later[0] ?? 0) + 4]) {
    const rest = await followToEnd(api, id, position);
    expect(rest).toEqual(all.filter((event) => event.id > position));
  }
  const old = await followToEnd(api, id, 5);
  expect(old.map(({ event }) => event).slice(0, 2)).toEqual(["state", "restart"]);
  expect(textOf(old)).toBe(lastView(all).result?.response);
});
