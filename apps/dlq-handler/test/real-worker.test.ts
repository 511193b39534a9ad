import { startSimulator } from "@forebay/ollama-simulator";
import { startService, waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./dlq-fixture.ts";

let fixture: Fixture;
const stack: AsyncDisposable[] = [];
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(async () => {
  for (const part of stack.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

async function startWorker(ollamaUrl: string, env: Record<string, string> = {}) {
  const worker = await startService("worker", {
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: fixture.space.prefix,
    OLLAMA_URLS: `gpu-1=${ollamaUrl}`,
    WORKER_DISCOVERY_INTERVAL_MS: "200",
    DELIVERY_BACKOFF_BASE_MS: "20",
    ...env,
  });
  stack.push(worker);
  return worker;
}

test("a job that Ollama fails for good is a dead letter, and completes when it is redriven after the repair", async () => {
  const simulator = await startSimulator({ tokensPerS: 500 });
  stack.push(simulator);
  await startWorker(simulator.url);
  await fixture.startHandler();
  simulator.setFault({ kind: "no_done", after_tokens: 3 });
  const id = await fixture.submit({
    request: { prompt: "Why is the sky blue?", options: { num_predict: 20 } },
  });
  const letter = await fixture.letterWith(id, { state: "dead" });
  expect(letter.failure.code).toBe("truncated_answer");
  expect(letter.attempts.map(({ backend, code, outcome }) => [backend, code, outcome])).toEqual([
    ["gpu-1", "truncated_answer", "retry"],
    ["gpu-1", "truncated_answer", "discard"],
  ]);
  simulator.clearFaults();
  await fixture.command({ action: "redrive", target: { filter: { code: "truncated_answer" } } });
  expect(await fixture.ended(id)).toMatchObject({ state: "completed", attemptsMade: 1, attemptsMax: 3 });
  expect(await fixture.letter(id)).toMatchObject({ state: "redriven", redrives: 1 });
});

test("a job whose worker dies again and again is a dead letter that says so", async () => {
  const simulator = await startSimulator({ tokensPerS: 5 });
  stack.push(simulator);
  await fixture.startHandler();
  const quick = {
    WORKER_LOCK_MS: "500",
    WORKER_STALLED_CHECK_MS: "250",
    DELIVERY_WORKER_LOSSES_MAX: "1",
  };
  let worker = await startWorker(simulator.url, quick);
  const id = await fixture.submit({ request: { prompt: "Count", options: { num_predict: 1_000 } } });
  for (const starts of [1, 2]) {
    await waitFor(
      async () => {
        const job = await fixture.job(id);
        return job.state === "active" && job.starts.length === starts;
      },
      { what: `start ${starts} of the job`, timeoutMs: 25_000 },
    );
    await worker.kill("SIGKILL");
    worker = await startWorker(simulator.url, quick);
  }
  const letter = await fixture.letterWith(id, { state: "dead" });
  expect(letter.failure.code).toBe("worker_lost");
  expect(letter.attempts).toHaveLength(2);
  expect(letter.attempts.every(({ ended_at }) => ended_at === undefined)).toBe(true);
}, 60_000);
