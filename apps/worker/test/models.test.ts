import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { readRegistry } from "@forebay/queue-bullmq";
import { startSimulator } from "@forebay/ollama-simulator";
import { waitFor } from "@forebay/test-harness";
import { createFixture, type Fixture, model } from "./worker-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"), { tokensPerS: 200 });
});
afterEach(() => fixture[Symbol.asyncDispose]());

test("a worker announces its models while it lives, and no longer", async () => {
  const worker = await fixture.startWorker();
  const live = await waitFor(
    async () => {
      const registry = await readRegistry(fixture.space);
      return registry.leases.length === 1 ? registry : undefined;
    },
    { what: "the worker is announced" },
  );
  expect([...live.models].toSorted()).toEqual(["llama3.2:3b", "nomic-embed-text:latest", "qwen3:8b"]);
  await worker.stop();
  const after = await readRegistry(fixture.space);
  expect(after.leases).toEqual([]);
  // Known all the same: an outage of the workers must not make the API refuse jobs.
  expect(after.models.has(model)).toBe(true);
});

test("a queue for other runner options is picked up without a restart", async () => {
  await fixture.startWorker({ WORKER_DISCOVERY_INTERVAL_MS: "60000" });
  await fixture.ended(await fixture.submit());
  const request = { prompt: "With a larger window", options: { num_ctx: 8_192, num_predict: 5 } };
  const job = await fixture.ended(await fixture.submit({ request }));
  expect(job.state).toBe("completed");
  expect(fixture.simulator.requests().at(-1)?.options).toMatchObject({ num_ctx: 8_192 });
});

test("a job that failed on one host is tried on another", async () => {
  await using second = await startSimulator({ tokensPerS: 200 });
  const urls = `gpu-1=${fixture.simulator.url},gpu-2=${second.url}`;
  await fixture.startWorker({ OLLAMA_URLS: urls });
  fixture.simulator.setFault({
    kind: "500",
    message: "unexpected server status: llm busy - no slots available",
  });
  const jobs = await Promise.all(
    [fixture.submit(), fixture.submit(), fixture.submit()].map(async (id) => fixture.ended(await id)),
  );
  expect(jobs.map((job) => job.state)).toEqual(["completed", "completed", "completed"]);
  expect(jobs.every((job) => job.starts.at(-1)?.backend === "gpu-2")).toBe(true);
});

test("several workers on one host stay within its slots together", async () => {
  await Promise.all([fixture.startWorker(), fixture.startWorker(), fixture.startWorker()]);
  const ids = await Promise.all(Array.from({ length: 15 }, () => fixture.submit()));
  const jobs = await Promise.all(ids.map((id) => fixture.ended(id)));
  expect(jobs.every((job) => job.state === "completed")).toBe(true);
  expect(fixture.simulator.stats().max_active).toBe(1);
});
