import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
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

const thinker = "qwen3:8b";
const embedder = "nomic-embed-text";
const clients = {
  "@langchain/ollama": {
    chat: (name: string, tokens = 60) =>
      new ChatOllama({ baseUrl: api, model: name, seed: 1, numPredict: tokens, maxRetries: 0 }),
    embeddings: () => new OllamaEmbeddings({ baseUrl: api, model: embedder }),
  },
  "@langchain/openai": {
    chat: (name: string, tokens = 60) =>
      new ChatOpenAI({
        configuration: { baseURL: `${api}/v1` },
        apiKey: "none",
        model: name,
        maxTokens: tokens,
        maxRetries: 0,
        modelKwargs: { seed: 1 },
      }),
    embeddings: () =>
      new OpenAIEmbeddings({ configuration: { baseURL: `${api}/v1` }, apiKey: "none", model: embedder }),
  },
};

const weather = tool(() => "sunny", {
  name: "get_weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});

describe.each(Object.entries(clients))("%s", (_, client) => {
  test("answers at once, and streams the same", async () => {
    const whole = await client.chat(model).invoke("Say hello");
    expect(whole.text).not.toBe("");
    expect(whole.usage_metadata?.output_tokens).toBeGreaterThan(0);
    let streamed = "";
    let pieces = 0;
    for await (const part of await client.chat(model).stream("Say hello")) {
      streamed += part.text;
      pieces++;
    }
    expect([streamed, pieces > 3]).toEqual([whole.text, true]);
  });

  test("calls a tool, and answers with what it said", async () => {
    const bound = client.chat(thinker, 600).bindTools([weather]);
    const ask = new HumanMessage("[call:get_weather] in Ghent");
    const first = await bound.invoke([ask]);
    const [called] = first.tool_calls ?? [];
    expect(called?.name).toBe("get_weather");
    const result = new ToolMessage({ content: "sunny", tool_call_id: called?.id ?? "" });
    const answer = await bound.invoke([ask, first, result]);
    expect(answer.text).not.toBe("");
  });

  test("gets the object a schema asks for", async () => {
    const person = z.object({ age: z.number().int() });
    const structured = client.chat(model, 400).withStructuredOutput(person, { method: "jsonSchema" });
    expect(Number.isInteger((await structured.invoke("How old is Ada?")).age)).toBe(true);
  });

  test("makes vectors", async () => {
    const [one, two] = await client.embeddings().embedDocuments(["one", "two"]);
    expect(one?.length).toBe(768);
    expect(one).not.toEqual(two);
  });

  test("aborted, it frees the slot", async () => {
    const abort = new AbortController();
    const read = async () => {
      const stream = await client.chat(model, 20_000).stream("Talk", { signal: abort.signal });
      let heard = 0;
      for await (const _part of stream) if (++heard === 3) abort.abort();
    };
    await read().catch(() => undefined);
    expect(abort.signal.aborted).toBe(true);
    await waitFor(() => live.simulator.stats().active === 0, { what: "the slot is free" });
  });

  test("an unknown model is an error with its name", async () => {
    await expect(client.chat("no-such").invoke("Hi")).rejects.toThrow(/no-such/);
  });
});

test("@langchain/openai through responses answers, streams, and calls a tool", async () => {
  const configuration = { baseURL: `${api}/v1` };
  const chat = (name: string) =>
    new ChatOpenAI({ configuration, apiKey: "none", model: name, maxRetries: 0, useResponsesApi: true });
  expect((await chat(model).invoke("Say hello")).text).not.toBe("");
  let pieces = 0;
  for await (const part of await chat(model).stream("Say hello")) if (part.text !== "") pieces++;
  expect(pieces).toBeGreaterThan(3);
  const bound = chat(thinker).bindTools([weather]);
  const ask = new HumanMessage("[call:get_weather] in Ghent");
  const first = await bound.invoke([ask]);
  const [called] = first.tool_calls ?? [];
  expect(called?.name).toBe("get_weather");
  const result = new ToolMessage({ content: "sunny", tool_call_id: called?.id ?? "" });
  expect((await bound.invoke([ask, first, result])).text).not.toBe("");
});
