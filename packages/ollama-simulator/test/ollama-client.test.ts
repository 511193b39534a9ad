import { Ollama } from "ollama";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../src/index.ts";
import { until } from "./ask.ts";

let simulator: Simulator;
let client: Ollama;

beforeAll(async () => {
  simulator = await startSimulator({ models: ["llama3.2:3b", "qwen3:8b", "nomic-embed-text"] });
  client = new Ollama({ host: simulator.url });
});

afterAll(() => simulator.close());

const messages = [{ role: "user", content: "What is a forebay?" }];

test("Ollama's own client lists and shows the models", async () => {
  const { models } = await client.list();
  expect(models.map(({ name }) => name).toSorted()).toEqual([
    "llama3.2:3b",
    "nomic-embed-text:latest",
    "qwen3:8b",
  ]);
  expect((await client.show({ model: "qwen3:8b" })).capabilities).toContain("thinking");
  expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("it generates, whole and as a stream", async () => {
  const whole = await client.generate({ model: "llama3.2:3b", prompt: "Hi" });
  let streamed = "";
  for await (const part of await client.generate({ model: "llama3.2:3b", prompt: "Hi", stream: true }))
    streamed += part.response;
  expect(streamed).toBe(whole.response);
  expect(whole.eval_count).toBeGreaterThan(0);
  expect((await client.ps()).models.map(({ name }) => name)).toContain("llama3.2:3b");
});

test("it chats with thinking and a format", async () => {
  const stream = await client.chat({ model: "qwen3:8b", messages, stream: true, format: "json" });
  let [thinking, content] = ["", ""];
  for await (const part of stream) {
    thinking += part.message.thinking ?? "";
    content += part.message.content;
  }
  expect(thinking).not.toBe("");
  expect(JSON.parse(content)).toBeTypeOf("object");
});

test("it calls tools and gets on with their results", async () => {
  const tools = [
    {
      type: "function",
      function: {
        name: "add",
        parameters: { type: "object", required: ["a"], properties: { a: { type: "integer" } } },
      },
    },
  ];
  const question = { role: "user", content: "[call:add]" };
  const { message } = await client.chat({ model: "llama3.2:3b", messages: [question], tools });
  expect(message.tool_calls?.[0]?.function).toMatchObject({
    name: "add",
    arguments: { a: expect.any(Number) },
  });
  const result = { role: "tool", tool_name: "add", content: "3" };
  const answer = await client.chat({ model: "llama3.2:3b", messages: [question, message, result], tools });
  expect(answer.message.content).not.toBe("");
});

test("it embeds", async () => {
  const { embeddings } = await client.embed({ model: "nomic-embed-text", input: ["a", "b"], dimensions: 32 });
  expect(embeddings.map(({ length }) => length)).toEqual([32, 32]);
});

test("it pulls and deletes", async () => {
  const states: string[] = [];
  for await (const { status } of await client.pull({ model: "phi4", stream: true })) states.push(status);
  expect(states.at(-1)).toBe("success");
  await client.delete({ model: "phi4" });
  await expect(client.show({ model: "phi4" })).rejects.toThrow("model 'phi4' not found");
});

test("its abort stops the generation", async () => {
  simulator.setFault({ kind: "slow", tokens_per_s: 20, times: 1 });
  const stream = await client.chat({ model: "llama3.2:3b", messages, stream: true });
  const read = async () => {
    for await (const _part of stream) stream.abort();
  };
  await expect(read()).rejects.toThrow(/abort/);
  await until(() => simulator.stats().active === 0);
  expect(simulator.stats().aborted).toBe(1);
});

test.each([
  ["in_band_error", "an error was encountered while running the model"],
  ["no_done", "Did not receive done or success response in stream."],
] as const)("it reports %s as it does with Ollama", async (kind, message) => {
  simulator.setFault({ kind, times: 1 });
  const read = async () => {
    for await (const _part of await client.chat({ model: "llama3.2:3b", messages, stream: true }));
  };
  await expect(read()).rejects.toThrow(message);
});
