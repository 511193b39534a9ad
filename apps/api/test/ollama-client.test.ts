import { Ollama } from "ollama";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { createLiveStack, ended, get, type LiveStack, model, post, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
/** The official client, at us and at the simulated Ollama itself. */
let ours: Ollama;
let direct: Ollama;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), {
    numParallel: 2,
    tokensPerS: 400,
    models: [model, "qwen3:8b", "nomic-embed-text", "llava:7b"],
  });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "2" })]);
  api = first.url;
  ours = new Ollama({ host: api });
  direct = new Ollama({ host: live.simulator.url });
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

/** Times and counts that differ from call to call. */
const varying = [
  "created_at",
  "total_duration",
  "load_duration",
  "prompt_eval_duration",
  "eval_duration",
  "context",
];

function settled(answer: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !varying.includes(name)));
}

const generation = { model, prompt: "Why is the sky blue?", options: { seed: 7, num_predict: 30 } };
const chat = {
  model: "qwen3:8b",
  messages: [{ role: "user", content: "Say hello" }],
  options: { seed: 7, num_predict: 400 },
};

test("a generation has the text and fields that Ollama itself gives", async () => {
  const [through, straight] = await Promise.all([ours.generate(generation), direct.generate(generation)]);
  expect(settled(through)).toEqual(settled(straight));
  expect(through.total_duration).toBeGreaterThan(0);
});

test("a chat with thinking does too", async () => {
  const [through, straight] = await Promise.all([ours.chat(chat), direct.chat(chat)]);
  expect(settled(through)).toEqual(settled(straight));
  expect(through.message.thinking).toBeTruthy();
});

test("streamed, the pieces make the same text and the last has the same counts", async () => {
  const read = async (client: Ollama) => {
    let text = "";
    let last: object = {};
    for await (const part of await client.generate({ ...generation, stream: true })) {
      text += part.response;
      last = settled(part);
    }
    return { text, last };
  };
  expect(await read(ours)).toEqual(await read(direct));
});

test("tools are called, and schemas obeyed, as by Ollama itself", async () => {
  const tool = {
    type: "function",
    function: {
      name: "get_weather",
      description: "",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };
  const call = {
    ...chat,
    messages: [{ role: "user", content: "[call:get_weather] in Ghent" }],
    tools: [tool],
  };
  const [through, straight] = await Promise.all([ours.chat(call), direct.chat(call)]);
  expect(through.message.tool_calls?.map((each) => each.function)).toEqual(
    straight.message.tool_calls?.map((each) => each.function),
  );
  const format = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
  const [ourJson, theirJson] = await Promise.all([
    ours.generate({ ...generation, format, options: { seed: 1 } }),
    direct.generate({ ...generation, format, options: { seed: 1 } }),
  ]);
  expect(JSON.parse(ourJson?.response ?? "null")).toEqual(JSON.parse(theirJson?.response ?? "null"));
});

test("texts become the same vectors, old way and new", async () => {
  const input = { model: "nomic-embed-text", input: ["one", "two"] };
  expect((await ours.embed(input)).embeddings).toEqual((await direct.embed(input)).embeddings);
  const old = { model: "nomic-embed-text", prompt: "one" };
  expect((await ours.embeddings(old)).embedding).toEqual((await direct.embeddings(old)).embedding);
});

test("the models are listed, and those in memory", async () => {
  const names = async (client: Ollama) => (await client.list()).models.map(({ name }) => name).toSorted();
  expect(await names(ours)).toEqual(await names(direct));
  await waitFor(async () => (await ours.ps()).models.length > 0, { what: "a loaded model is seen" });
  expect((await fetch(`${api}/api/version`)).status).toBe(200);
  expect((await fetch(`${api}/`, { method: "HEAD" })).status).toBe(200);
});

test("a model is shown as its host shows it, but for what only the host needs", async () => {
  const show = async (client: Ollama, name: string) => (await client.show({ model: name })) as object;
  for (const name of ["qwen3:8b", "nomic-embed-text"]) {
    await waitFor(async () => "capabilities" in (await show(ours, name)), {
      what: "the worker has learnt it",
    });
    const { license: _, modelfile: __, ...told } = (await show(direct, name)) as Record<string, unknown>;
    expect(await show(ours, name)).toEqual(told);
  }
  await expect(ours.show({ model: "no-such" })).rejects.toMatchObject({ status_code: 404 });
});

test("a picture reaches a model that can see, and is refused for one that cannot", async () => {
  const call = { prompt: "What is this?", images: ["aGVsbG8="], options: { seed: 2, num_predict: 20 } };
  const [through, straight] = await Promise.all([
    ours.generate({ ...call, model: "llava:7b" }),
    direct.generate({ ...call, model: "llava:7b" }),
  ]);
  expect(settled(through)).toEqual(settled(straight));
  await expect(ours.generate({ ...call, model })).rejects.toMatchObject({ status_code: 400 });
});

test.each([true, false, "low", "high"] as const)("thinking set to %s thinks as by Ollama", async (think) => {
  const [through, straight] = await Promise.all([
    ours.chat({ ...chat, think }),
    direct.chat({ ...chat, think }),
  ]);
  expect(settled(through)).toEqual(settled(straight));
});

test("probabilities are whole: in the answer, or in a stream's last line", async () => {
  const call = { ...generation, logprobs: true, top_logprobs: 2 };
  const straight = await direct.generate(call);
  expect((await ours.generate(call)).logprobs).toEqual(straight.logprobs);
  let last: object = {};
  for await (const part of await ours.generate({ ...call, stream: true })) last = part;
  expect(last).toMatchObject({ done: true, logprobs: straight.logprobs });
});

test("a context between two sizes runs with the next larger one, so that models stay loaded", async () => {
  await ours.generate({ ...generation, options: { num_ctx: 5_000, num_predict: 3 } });
  expect(live.simulator.requests().at(-1)?.options).toMatchObject({ num_ctx: 8_192 });
});

test("who hangs up while the answer is made frees the slot, and the job is cancelled", async () => {
  const stream = await ours.generate({ ...generation, options: { num_predict: 20_000 }, stream: true });
  let heard = 0;
  await expect(
    (async () => {
      for await (const _part of stream) if (++heard === 3) stream.abort();
    })(),
  ).rejects.toThrow();
  await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
  const newest = async () => (await get(api, "/jobs?limit=1")).body.jobs[0];
  await waitFor(async () => (await newest())?.state === "cancelled", { what: "the job is cancelled" });
});

test("a stream that breaks at the host goes on where the client was", async () => {
  live.simulator.setFault({ kind: "reset", after_tokens: 8, times: 1, match_prompt: "seamless" });
  const call = { model, prompt: "seamless", options: { seed: 3, num_predict: 30 } };
  let text = "";
  for await (const part of await ours.generate({ ...call, stream: true })) text += part.response;
  expect(text).toBe((await direct.generate(call)).response);
});

test("respond-async turns a call into a job", async () => {
  const answer = await post(api, "/api/generate", generation, { prefer: "respond-async" });
  expect(answer.status).toBe(202);
  expect((await ended(api, answer.body.job_id)).state).toBe("completed");
});

describe("refusals have Ollama's statuses and words", () => {
  test.each([
    ["/api/generate", { model: "no-such", prompt: "x" }, 404, "model 'no-such' not found"],
    ["/api/generate", { prompt: "x" }, 400, "model is required"],
    ["/api/chat", { model, messages: [{ role: "nobody", content: "x" }] }, 400, "messages[0].role"],
    ["/api/generate", { model, prompt: "x", options: { num_ctx: "big" } }, 400, "options.num_ctx"],
    ["/api/embed", { model: "nomic-embed-text", input: [] }, 400, "input"],
    ["/api/pull", { model: "x" }, 403, "pull is not available here"],
  ])("%s %j → %d", async (path, body, status, words) => {
    const answer = await post(api, path, body);
    expect(answer.status).toBe(status);
    expect((answer.body as unknown as { error: string }).error).toContain(words);
  });

  test("a body that is not JSON, whatever its type is said to be", async () => {
    const answer = await fetch(`${api}/api/generate`, { method: "POST", body: "{" });
    expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([400, ["error"]]);
  });
});

test("an empty prompt loads nothing and says so as Ollama does", async () => {
  const answer = await ours.generate({ model, prompt: "" });
  expect(answer).toMatchObject({ done: true, done_reason: "load", response: "" });
});
