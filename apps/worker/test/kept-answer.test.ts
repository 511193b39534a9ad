import { fileURLToPath } from "node:url";
import type { InferenceResult } from "@forebay/queue-contracts";
import { startProcess } from "@forebay/test-harness";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./worker-fixture.ts";

const quickLocks = { WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "250" };

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const answer: InferenceResult = {
  v: 1,
  type: "generate",
  model,
  backend: "gpu-1",
  usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, gpu_ms: 1_500 },
  total_duration_ms: 1_500,
  load_duration_ms: 0,
  prompt_eval_count: 9,
  done_reason: "stop",
  eval_count: 3,
  prompt_eval_duration_ms: 100,
  eval_duration_ms: 1_400,
  response: "The answer of the worker that died.",
};

/** A job whose worker was killed right after it had kept this as its answer. */
async function orphanKeeping(keep: string): Promise<string> {
  const id = await fixture.submit();
  const { queueName } = await fixture.read(id);
  const worker = await startProcess({
    file: fileURLToPath(new URL("fixtures/dying-worker.ts", import.meta.url)),
    args: [inject("redisUrl"), fixture.space.prefix, queueName, keep],
    ready: /ready/,
  });
  expect(await worker.exited).toMatchObject({ signal: "SIGKILL" });
  expect(await fixture.read(id)).toMatchObject({ state: "active", starts: [{ outcome: "completed" }] });
  return id;
}

test("an answer whose worker died before it was recorded is used, and not generated again", async () => {
  const id = await orphanKeeping(JSON.stringify(answer));
  await fixture.startWorker(quickLocks);
  const job = await fixture.ended(id);
  expect(job).toMatchObject({ state: "completed", result: answer, attemptsMade: 1 });
  expect(job.starts.map((start) => start.outcome)).toEqual(["completed", "completed"]);
  expect(fixture.simulator.requests()).toEqual([]);
});

describe("what was kept and is no answer is ignored: the answer is generated", () => {
  test.each([
    ["no JSON", "The answer"],
    ["JSON of another shape", '{"response":"The answer"}'],
    ["an answer of another version", JSON.stringify({ ...answer, v: 2 })],
  ])("%s", async (_, keep) => {
    const id = await orphanKeeping(keep);
    await fixture.startWorker(quickLocks);
    const job = await fixture.ended(id);
    expect(job).toMatchObject({ state: "completed", attemptsMade: 1 });
    expect(fixture.simulator.requests()).toHaveLength(1);
    expect(job.result).not.toMatchObject({ response: answer.response });
  });
});
