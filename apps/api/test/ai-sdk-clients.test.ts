import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { waitFor } from "@forebay/test-harness";
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { createOllama } from "ai-sdk-ollama";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createLiveStack, ended, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 400 });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "2" })]);
  api = first.url;
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const compatible = () =>
  createOpenAICompatible({
    name: "forebay",
    baseURL: `${api}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const ollama = () => createOllama({ baseURL: api });
const providers = {
  "@ai-sdk/openai-compatible": {
    chat: (name: string) => compatible()(name),
    embedding: () => compatible().embeddingModel("nomic-embed-text"),
    hangsUp: true,
  },
  "ai-sdk-ollama": {
    chat: (name: string) => ollama()(name),
    embedding: () => ollama().embeddingModel("nomic-embed-text"),
    // It stops reading and leaves the connection open, with Ollama itself too: its job runs to the end.
    hangsUp: false,
  },
};

const weather = tool({
  description: "The weather in a city",
  inputSchema: jsonSchema<{ city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  }),
  execute: async ({ city }) => `sunny in ${city}`,
});

describe.each(Object.entries(providers))("%s", (_, provider) => {
  const call = (name = model, tokens = 60) => ({
    model: provider.chat(name),
    maxOutputTokens: tokens,
    seed: 1,
    maxRetries: 0,
  });

  test("answers at once, and streams the same", async () => {
    const whole = await generateText({ ...call(), prompt: "Say hello" });
    expect(whole.text).not.toBe("");
    expect(whole.usage.outputTokens).toBeGreaterThan(0);
    const stream = streamText({ ...call(), prompt: "Say hello" });
    let streamed = "";
    for await (const part of stream.textStream) streamed += part;
    expect(streamed).toBe(whole.text);
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens);
  });

  test("calls a tool, and goes on with what it said", async () => {
    const { steps } = await generateText({
      ...call("qwen3:8b", 600),
      prompt: "[call:get_weather] in Ghent",
      tools: { get_weather: weather },
      stopWhen: stepCountIs(2),
    });
    expect(steps[0]?.toolCalls[0]?.toolName).toBe("get_weather");
    expect(steps[0]?.toolResults[0]?.output).toContain("sunny");
    expect(steps.length).toBe(2);
  });

  test("gets the object a schema asks for", async () => {
    const schema = jsonSchema<{ age: number }>({
      type: "object",
      properties: { age: { type: "integer" } },
      required: ["age"],
    });
    const { output } = await generateText({
      ...call(model, 400),
      prompt: "How old is Ada?",
      output: Output.object({ schema }),
    });
    expect(Number.isInteger(output.age)).toBe(true);
  });

  test("makes vectors", async () => {
    const { embeddings } = await embedMany({ model: provider.embedding(), values: ["one", "two"] });
    expect(embeddings.map((vector) => vector.length)).toEqual([768, 768]);
    expect(embeddings[0]).not.toEqual(embeddings[1]);
  });

  test.runIf(provider.hangsUp)("aborted, it frees the slot", async () => {
    const abort = new AbortController();
    const stream = streamText({ ...call(model, 20_000), prompt: "Talk", abortSignal: abort.signal });
    let heard = 0;
    for await (const _part of stream.fullStream) if (++heard === 6) abort.abort();
    expect(abort.signal.aborted).toBe(true);
    await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
  });

  test("an unknown model is an error with its name", async () => {
    await expect(generateText({ ...call("no-such"), prompt: "Hi" })).rejects.toThrow(/no-such/);
  });
});
