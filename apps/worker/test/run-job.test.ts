import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./worker-fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture(inject("redisUrl"), { numParallel: 2, tokensPerS: 2_000 });
  await fixture.startWorker({ WORKER_CONCURRENCY: "2" });
});
afterAll(() => fixture[Symbol.asyncDispose]());

test("a prompt comes back as an answer with its cost and its history", async () => {
  const id = await fixture.submit({
    request: { prompt: "Say hello", options: { num_predict: 20, seed: 7 } },
  });
  const job = await fixture.ended(id);
  expect(job.state).toBe("completed");
  expect(job.result).toMatchObject({
    type: "generate",
    backend: "gpu-1",
    done_reason: "length",
    eval_count: 20,
  });
  expect(job.result?.usage.completion_tokens).toBe(20);
  expect(job.result?.usage.prompt_tokens).toBeGreaterThan(0);
  expect(job.result?.type === "generate" && job.result.response.length).toBeGreaterThan(20);
  expect(job.starts).toHaveLength(1);
  expect(job.starts[0]).toMatchObject({ backend: "gpu-1", outcome: "completed" });
});

test("the answer is the one Ollama gives when it is asked directly", async () => {
  const body = { model, prompt: "Tell me about rivers", options: { seed: 3, num_predict: 30 } };
  const direct = await fetch(`${fixture.simulator.url}/api/generate`, {
    method: "POST",
    body: JSON.stringify({ ...body, stream: false }),
  });
  const { response } = (await direct.json()) as { response: string };
  const { model: _model, ...request } = body;
  const job = await fixture.ended(await fixture.submit({ request }));
  expect(job.result).toMatchObject({ response });
});

test("a chat with tools comes back with the tool call", async () => {
  const request = {
    messages: [{ role: "user", content: "[call:get_weather] in Ghent" }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } } },
        },
      },
    ],
  };
  const job = await fixture.ended(await fixture.submit({ type: "chat", model: "qwen3:8b", request }));
  expect(job.result).toMatchObject({
    type: "chat",
    message: { role: "assistant", tool_calls: [{ function: { name: "get_weather" } }] },
  });
});

test("texts come back as embeddings, one each", async () => {
  const request = { input: ["one", "two"] };
  const job = await fixture.ended(
    await fixture.submit({ type: "embed", model: "nomic-embed-text", request }),
  );
  expect(job.result?.type).toBe("embed");
  expect(job.result?.type === "embed" && job.result.embeddings.length).toBe(2);
});

test("Ollama never holds more calls of a model than it has slots", async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => fixture.submit()));
  const jobs = await Promise.all(ids.map((id) => fixture.ended(id)));
  expect(jobs.map((job) => job.state)).toEqual(Array.from({ length: 20 }, () => "completed"));
  expect(fixture.simulator.stats().max_active).toBeLessThanOrEqual(2);
});

test("a payload that does not parse is discarded with a code, not tried again", async () => {
  const id = await fixture.submit();
  await fixture.ended(id);
  const queue = fixture.space.queue((await fixture.read(id)).queueName);
  const bad = id.replace(/^j..../, "j0000");
  await queue.add(
    "infer",
    { v: 1, type: "generate", tenant: "acme", prompt: "no request" },
    { jobId: bad, attempts: 3 },
  );
  const job = await fixture.ended(bad);
  expect(job).toMatchObject({
    state: "failed",
    job: undefined,
    attemptsMade: 1,
    failure: { code: "invalid_payload" },
  });
});

test("clocks that differ by a minute change nothing", async () => {
  for (const skewMs of [-60_000, 60_000]) {
    const id = await fixture.submit();
    const { queueName } = await fixture.read(id);
    await fixture.space.client.hset(fixture.space.jobKey(queueName, id), "timestamp", Date.now() + skewMs);
    expect((await fixture.ended(id)).state).toBe("completed");
  }
});
