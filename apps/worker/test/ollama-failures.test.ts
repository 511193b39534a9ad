import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./worker-fixture.ts";
import { waitFor } from "@forebay/test-harness";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"), { tokensPerS: 500 });
  await fixture.startWorker({ WORKER_TOKEN_TIMEOUT_S: "0.5", WORKER_FIRST_BYTE_TIMEOUT_S: "2" });
});
afterEach(() => fixture[Symbol.asyncDispose]());

const generate = { request: { prompt: "Count", options: { num_predict: 40, seed: 1 } } };

test("Ollama that is away spends no attempt: its jobs wait, and run when it is back", async () => {
  fixture.simulator.crash(3_000);
  const id = await fixture.submit(generate, { attempts: 1 });
  const job = await fixture.ended(id);
  expect(job.state).toBe("completed");
  expect(job.attemptsMade).toBe(1);
  expect(job.starts.filter((start) => start.outcome === "retry")).toEqual([]);
});

test("a stream that breaks in the middle is dropped and asked for again, whole", async () => {
  const whole = await fixture.ended(await fixture.submit(generate));
  fixture.simulator.setFault({ kind: "reset", after_tokens: 10, times: 1 });
  const job = await fixture.ended(await fixture.submit(generate));
  expect(job.starts.map((start) => [start.outcome, start.code])).toEqual([
    ["throttled", "backend_reset"],
    ["completed", undefined],
  ]);
  expect(job.result?.type === "generate" && job.result.response).toBe(
    whole.result?.type === "generate" && whole.result.response,
  );
});

test("an error line within the stream is a failure although the status was 200", async () => {
  fixture.simulator.setFault({ kind: "in_band_error", after_tokens: 5, times: 1 });
  const id = await fixture.submit(generate);
  const job = await waitFor(
    async () => {
      const seen = await fixture.read(id);
      return seen.starts[0]?.ended_at ? seen : undefined;
    },
    { what: "the first start ended" },
  );
  expect(job.starts[0]).toMatchObject({ outcome: "retry", code: "runner_crashed" });
});

test("a job that crashes the runner twice is poison and not tried a third time", async () => {
  fixture.simulator.setFault({
    kind: "in_band_error",
    after_tokens: 2,
    message: "llama-server process no longer running: 139",
  });
  const id = await fixture.submit(generate, { attempts: 10 });
  const job = await fixture.ended(id);
  expect(job.failure).toMatchObject({ code: "poison_job" });
  expect(job.starts).toHaveLength(2);
}, 60_000);

test("a stream that ends without its last line is tried once more with another seed, then fails", async () => {
  fixture.simulator.setFault({ kind: "no_done", after_tokens: 3 });
  const job = await fixture.ended(await fixture.submit(generate, { attempts: 5 }));
  expect(job.failure).toMatchObject({ code: "truncated_answer" });
  const seeds = fixture.simulator.requests().map((request) => (request.options as { seed: number }).seed);
  expect(seeds).toEqual([1, 2]);
});

test("silence between tokens ends the call, where a long answer does not, and spends no attempt", async () => {
  fixture.simulator.setFault({ kind: "hang", after_tokens: 3, times: 1 });
  const id = await fixture.submit(generate, { attempts: 1 });
  const job = await fixture.ended(id);
  expect(job).toMatchObject({ state: "completed", attemptsMade: 1 });
  expect(job.starts[0]).toMatchObject({ code: "backend_stuck" });
});

test("503 for being full spends no attempt", async () => {
  fixture.simulator.setFault({
    kind: "503",
    message: "server busy, please try again.  maximum pending requests exceeded",
    times: 1,
  });
  const job = await fixture.ended(await fixture.submit(generate, { attempts: 1 }));
  expect(job.state).toBe("completed");
  expect(job.starts.map((start) => start.outcome)).toEqual(["throttled", "completed"]);
});

test("a permanent fault that Ollama reports as 500 is not tried again", async () => {
  fixture.simulator.setFault({ kind: "500", message: 'option "num_ctx" must be of type integer' });
  const job = await fixture.ended(await fixture.submit(generate, { attempts: 5 }));
  expect(job).toMatchObject({ state: "failed", attemptsMade: 1, failure: { code: "invalid_request" } });
});

test("a job fails when its attempts are spent, with the error of each", async () => {
  fixture.simulator.setFault({
    kind: "status",
    status: 500,
    message: "unexpected server status: llm busy - no slots available",
  });
  const job = await fixture.ended(await fixture.submit(generate, { attempts: 2 }));
  expect(job).toMatchObject({ state: "failed", attemptsMade: 2, failure: { code: "backend_overloaded" } });
  expect(job.starts.map((start) => start.code)).toEqual(["backend_overloaded", "backend_overloaded"]);
});
