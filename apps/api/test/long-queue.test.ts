import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { ChatOllama } from "@langchain/ollama";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText } from "ai";
import { createOllama } from "ai-sdk-ollama";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

/** One slot, and so many words a second: a job of 900 words holds it for 30 s. */
const tokensPerS = 30;

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { tokensPerS });
  const [first] = await Promise.all([live.startApi(), live.startWorker()]);
  api = first.url;
  await ended(api, await submit(api, { options: { num_predict: 1 } }));
});
afterAll(() => live[Symbol.asyncDispose]());

const ask = "Say hello";
const messages = [{ role: "user" as const, content: ask }];
const openai = () => new OpenAI({ baseURL: `${api}/v1`, apiKey: "none" });
const ollama = () => new Ollama({ host: api });
const options = { num_predict: 5 };

async function join(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}

async function* map<T>(parts: AsyncIterable<T>, textOf: (part: T) => string): AsyncGenerator<string> {
  for await (const part of parts) yield textOf(part);
}

/** Each with its own presets: what it does about silence and retries is the point. */
const calls: Record<string, () => Promise<string>> = {
  openai: async () => {
    const answer = await openai().chat.completions.create({ model, messages, max_tokens: 5 });
    return answer.choices[0]?.message.content ?? "";
  },
  "openai, streaming": async () => {
    const stream = await openai().chat.completions.create({ model, messages, max_tokens: 5, stream: true });
    return join(map(stream, (chunk) => chunk.choices[0]?.delta.content ?? ""));
  },
  "openai, a response": async () =>
    (await openai().responses.create({ model, input: ask, max_output_tokens: 5 })).output_text,
  "openai, a response, streaming": async () => {
    const stream = openai().responses.stream({ model, input: ask, max_output_tokens: 5 });
    return (await stream.finalResponse()).output_text;
  },
  "@anthropic-ai/sdk, streaming": () => {
    const client = new Anthropic({ baseURL: api, apiKey: "none" });
    return client.messages.stream({ model, messages, max_tokens: 5 }).finalText();
  },
  ollama: async () => (await ollama().chat({ model, messages, options })).message.content,
  "ollama, streaming": async () =>
    join(
      map(await ollama().chat({ model, messages, options, stream: true }), (part) => part.message.content),
    ),
  "@langchain/ollama": async () =>
    (await new ChatOllama({ baseUrl: api, model, numPredict: 5 }).invoke(ask)).text,
  "@langchain/openai, streaming": async () => {
    const configuration = { baseURL: `${api}/v1` };
    const chat = new ChatOpenAI({ configuration, apiKey: "none", model, maxTokens: 5 });
    return join(map(await chat.stream(ask), (part) => part.text));
  },
  "@ai-sdk/openai-compatible, streaming": () => {
    const provider = createOpenAICompatible({ name: "forebay", baseURL: `${api}/v1` });
    return join(streamText({ model: provider(model), maxOutputTokens: 5, prompt: ask }).textStream);
  },
  "ai-sdk-ollama": async () => {
    const provider = createOllama({ baseURL: api });
    return (await generateText({ model: provider(model), maxOutputTokens: 5, prompt: ask })).text;
  },
};

test("behind a job of 30 s every client gets its answer, from one job each", async () => {
  const first = await submit(api, { options: { num_predict: 30 * tokensPerS, seed: 1 } });
  const answers = await Promise.all(
    Object.entries(calls).map(async ([name, call]) => [name, (await call()) !== ""] as const),
  );
  expect(Object.fromEntries(answers)).toEqual(
    Object.fromEntries(Object.keys(calls).map((name) => [name, true])),
  );
  const { jobs } = (await get(api, "/jobs?limit=50")).body;
  const [blocking, ...others] = jobs.toReversed().slice(1);
  expect(blocking?.job_id).toBe(first);
  expect(others).toHaveLength(answers.length);
  // None got its answer before the slot was free.
  const free = Date.parse(blocking?.finished_at ?? "");
  expect(others.every(({ started_at }) => Date.parse(started_at ?? "") >= free)).toBe(true);
}, 120_000);
