import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../src/index.ts";
import { ask, get } from "./ask.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({
    models: ["llama3.2:3b", "qwen3:8b", "gemma3:4b", "codellama:7b", "nomic-embed-text"],
    maxLoaded: 9,
  });
});

afterAll(() => simulator.close());

const model = "llama3.2:3b";
const hello = { role: "user", content: "Hello" };

describe("lists", () => {
  test("the root says that Ollama is running", async () => {
    expect(await get(simulator, "/")).toMatchObject({ status: 200, text: "Ollama is running" });
    expect((await fetch(simulator.url, { method: "HEAD" })).status).toBe(200);
  });

  test("tags name every model with digest, size and details", async () => {
    const { models } = (await get(simulator, "/api/tags")).json;
    expect(models).toHaveLength(5);
    expect(models).toContainEqual({
      name: "nomic-embed-text:latest",
      model: "nomic-embed-text:latest",
      modified_at: expect.any(String),
      size: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details: expect.objectContaining({ format: "gguf", family: "nomic-bert", parameter_size: "137M" }),
      capabilities: ["embedding"],
    });
  });

  test("ps names what is loaded, with its context", async () => {
    await ask(simulator, "/api/generate", { model, keep_alive: -1 });
    const { models } = (await get(simulator, "/api/ps")).json;
    expect(models).toContainEqual(
      expect.objectContaining({ name: model, context_length: 4096, expires_at: expect.any(String) }),
    );
  });

  test("show tells capabilities and context length", async () => {
    const { json } = await ask(simulator, "/api/show", { model: "gemma3:4b" });
    expect(json).toMatchObject({
      capabilities: ["completion", "vision"],
      model_info: { "gemma3.context_length": 131072 },
    });
    expect(await ask(simulator, "/api/show", { model: "none" })).toMatchObject({
      status: 404,
      json: { error: "model 'none' not found" },
    });
    expect(await ask(simulator, "/api/show", {})).toMatchObject({
      status: 400,
      json: { error: "model is required" },
    });
  });

  test("unknown paths and methods are answered as gin does", async () => {
    expect(await get(simulator, "/api/nothing")).toMatchObject({ status: 404, text: "404 page not found" });
    expect(await get(simulator, "/api/chat")).toMatchObject({ status: 405, text: "405 method not allowed" });
  });

  test("a foreign Host is refused with an empty 403 while bound to the loopback", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      request(`${simulator.url}/api/tags`, { headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });
});

describe("generate", () => {
  test("streams by default, one object a line, and ends with the metrics", async () => {
    const { status, type, lines } = await ask(simulator, "/api/generate", {
      model,
      prompt: "Hi",
      options: { num_predict: 3 },
    });
    expect([status, type]).toEqual([200, "application/x-ndjson"]);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toEqual({
      model,
      created_at: expect.any(String),
      response: expect.any(String),
      done: false,
    });
    expect(lines[3]).toMatchObject({
      response: "",
      done: true,
      done_reason: "length",
      prompt_eval_count: 1,
      eval_count: 3,
    });
    expect(lines[3]?.total_duration).toBeGreaterThanOrEqual(Number(lines[3]?.eval_duration));
    expect(lines[3]?.context).toEqual(expect.arrayContaining([expect.any(Number)]));
  });

  test("gives the same text in one piece without streaming", async () => {
    const streamed = (await ask(simulator, "/api/generate", { model, prompt: "Hi" })).lines;
    const { type, json } = await ask(simulator, "/api/generate", { model, prompt: "Hi", stream: false });
    expect(type).toBe("application/json; charset=utf-8");
    expect(json.response).toBe(streamed.map(({ response }) => response).join(""));
    expect(json.done_reason).toBe("stop");
  });

  test("leaves out what is zero", async () => {
    const { json } = await ask(simulator, "/api/generate", {
      model,
      prompt: "Hi",
      stream: false,
      options: { num_predict: 0 },
    });
    expect(json).not.toHaveProperty("eval_count");
  });

  test("loads without a prompt, unloads without a prompt and with keep_alive 0", async () => {
    expect((await ask(simulator, "/api/generate", { model })).json).toEqual({
      model,
      created_at: expect.any(String),
      response: "",
      done: true,
      done_reason: "load",
    });
    expect(simulator.stats().loaded).toContain(model);
    expect((await ask(simulator, "/api/generate", { model, keep_alive: 0 })).json).toMatchObject({
      done_reason: "unload",
    });
    expect(simulator.stats().loaded).not.toContain(model);
  });

  test("keeps to a schema, and says its probabilities when asked", async () => {
    const format = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const { json } = await ask(simulator, "/api/generate", {
      model,
      prompt: "Hi",
      stream: false,
      format,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(JSON.parse(String(json.response))).toEqual({ ok: expect.any(Boolean) });
    expect(json.logprobs).toEqual(
      expect.arrayContaining([
        {
          token: '{"',
          logprob: expect.any(Number),
          bytes: [123, 34],
          top_logprobs: [expect.anything(), expect.anything()],
        },
      ]),
    );
  });
});

describe("chat", () => {
  test("a model that can think does so unless told not to", async () => {
    const thinking = await ask(simulator, "/api/chat", {
      model: "qwen3:8b",
      messages: [hello],
      stream: false,
    });
    expect(thinking.json.message).toMatchObject({
      role: "assistant",
      thinking: expect.stringMatching(/./),
      content: expect.stringMatching(/./),
    });
    const plain = await ask(simulator, "/api/chat", {
      model: "qwen3:8b",
      messages: [hello],
      stream: false,
      think: false,
    });
    expect(plain.json.message).not.toHaveProperty("thinking");
  });

  test("thinking and a format take two runs, and the metrics are of the second", async () => {
    const format = { type: "object", properties: { n: { const: 4 } }, required: ["n"] };
    const { lines } = await ask(simulator, "/api/chat", { model: "qwen3:8b", messages: [hello], format });
    const messages = lines.map(({ message }) => message as { content: string; thinking?: string });
    expect(JSON.parse(messages.map(({ content }) => content).join(""))).toEqual({ n: 4 });
    expect(messages.some(({ thinking }) => thinking !== undefined)).toBe(true);
    expect(lines.at(-1)?.eval_count).toBe(messages.filter(({ content }) => content !== "").length);
  });

  test("a marker makes it call a tool, and the result makes it answer", async () => {
    const parameters = {
      type: "object",
      properties: { city: { enum: ["Bern", "Basel"] } },
      required: ["city"],
    };
    const tools = [{ type: "function", function: { name: "weather", parameters } }];
    const question = { role: "user", content: "Is it raining? [call:weather]" };
    const called = (await ask(simulator, "/api/chat", { model, messages: [question], tools, stream: false }))
      .json;
    expect(called.message).toMatchObject({
      content: "",
      tool_calls: [{ function: { name: "weather", arguments: { city: expect.stringMatching(/^B/) } } }],
    });
    const result = { role: "tool", tool_name: "weather", content: "rain" };
    const answer = await ask(simulator, "/api/chat", {
      model,
      messages: [question, called.message, result],
      tools,
      stream: false,
    });
    expect(answer.json.message).toMatchObject({ content: expect.stringMatching(/./) });
    expect(answer.json.message).not.toHaveProperty("tool_calls");
  });

  test("a model with eyes takes an image, a blind one passes on llama-server's refusal", async () => {
    const messages = [{ ...hello, images: ["aGVsbG8="] }];
    const seen = await ask(simulator, "/api/chat", { model: "gemma3:4b", messages, stream: false });
    expect(seen.json.prompt_eval_count).toBeGreaterThan(768);
    const blind = await ask(simulator, "/api/chat", { model, messages });
    expect(blind.status).toBe(500);
    expect(JSON.parse(String(blind.json.error)).error.message).toContain("image input is not supported");
  });
});

describe("embed", () => {
  const embedding = "nomic-embed-text";

  test("gives one unit vector per input, the same for the same text", async () => {
    const { json } = await ask(simulator, "/api/embed", { model: embedding, input: ["a", "b", "a"] });
    const [a, b, again] = json.embeddings as number[][];
    expect(a).toHaveLength(768);
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
    expect(Math.hypot(...(a ?? []))).toBeCloseTo(1, 5);
    expect(json).toMatchObject({
      model: embedding,
      prompt_eval_count: 3,
      total_duration: expect.any(Number),
    });
  });

  test("cuts to the wanted dimensions, still of length one", async () => {
    const { json } = await ask(simulator, "/api/embed", { model: embedding, input: "a", dimensions: 16 });
    const [vector = []] = json.embeddings as number[][];
    expect(vector).toHaveLength(16);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });

  test("an input beyond the context is cut, or refused when that is ruled out", async () => {
    const input = "long ".repeat(4000);
    expect((await ask(simulator, "/api/embed", { model: embedding, input })).json).toMatchObject({
      prompt_eval_count: 2046,
    });
    expect(await ask(simulator, "/api/embed", { model: embedding, input, truncate: false })).toMatchObject({
      status: 400,
      json: { error: "the input length exceeds the context length" },
    });
  });

  test("the older endpoint gives one vector", async () => {
    const { json } = await ask(simulator, "/api/embeddings", { model: embedding, prompt: "a" });
    expect(json.embedding).toHaveLength(768);
    expect((await ask(simulator, "/api/embeddings", { model: embedding })).json).toEqual({ embedding: [] });
  });

  test("nothing to embed only loads", async () => {
    expect((await ask(simulator, "/api/embed", { model: embedding, input: [] })).json).toEqual({
      model: embedding,
      embeddings: [],
    });
  });
});

describe("refusals carry Ollama's status and words", () => {
  const chat = (rest: object) => ["/api/chat", { model, messages: [hello], ...rest }] as const;
  const generate = (rest: object) => ["/api/generate", { model, prompt: "Hi", ...rest }] as const;

  test.each([
    ["no body", ["/api/chat", ""], 400, "missing request body"],
    [
      "no JSON",
      ["/api/generate", "{oops}"],
      400,
      "invalid character 'o' looking for beginning of object key string",
    ],
    [
      "not an object",
      ["/api/generate", "[]"],
      400,
      "json: cannot unmarshal array into Go value of type api.GenerateRequest",
    ],
    [
      "a wrong type",
      generate({ prompt: 7 }),
      400,
      "json: cannot unmarshal number into Go struct field GenerateRequest.prompt of type string",
    ],
    [
      "parts as content",
      chat({ messages: [{ role: "user", content: [] }] }),
      400,
      "json: cannot unmarshal array into Go struct field Alias.content of type string",
    ],
    ["no model in chat", chat({ model: "" }), 400, "model is required"],
    ["no model in generate", generate({ model: "" }), 404, "model '' not found"],
    ["a name that is none", generate({ model: "a b" }), 400, "invalid model name"],
    ["an unknown model", generate({ model: "nope" }), 404, "model 'nope' not found"],
    [
      "an unknown model to embed",
      ["/api/embed", { model: "nope", input: "a" }],
      404,
      'model "nope" not found, try pulling it first',
    ],
    [
      "input that is no text",
      ["/api/embed", { model: "nomic-embed-text", input: [1] }],
      400,
      "invalid input type",
    ],
    [
      "chat with an embedding model",
      chat({ model: "nomic-embed-text" }),
      400,
      '"nomic-embed-text" does not support chat',
    ],
    [
      "generate with an embedding model",
      generate({ model: "nomic-embed-text" }),
      400,
      '"nomic-embed-text" does not support generate',
    ],
    ["thinking where there is none", chat({ think: true }), 400, '"llama3.2:3b" does not support thinking'],
    [
      "tools where there are none",
      chat({ model: "gemma3:4b", tools: [{ function: { name: "f" } }] }),
      400,
      "registry.ollama.ai/library/gemma3:4b does not support tools",
    ],
    [
      "a suffix where none fits",
      generate({ suffix: "end" }),
      400,
      "registry.ollama.ai/library/llama3.2:3b does not support insert",
    ],
    [
      "an invalid think",
      chat({ think: "hard" }),
      400,
      'invalid think value: "hard" (must be "high", "medium", "low", "max", true, or false)',
    ],
    ["too many logprobs", chat({ top_logprobs: 21 }), 400, "top_logprobs must be between 0 and 20"],
    [
      "raw with a system prompt",
      generate({ raw: true, system: "x" }),
      400,
      "raw mode does not support template, system, or context",
    ],
    ["a keep_alive without unit", chat({ keep_alive: "5" }), 400, 'time: missing unit in duration "5"'],
    [
      "an option of the wrong type",
      chat({ options: { num_ctx: "big" } }),
      500,
      'option "num_ctx" must be of type integer',
    ],
    [
      "an invalid format",
      chat({ format: "yaml" }),
      500,
      'invalid format: "\\"yaml\\""; expected "json" or a valid JSON Schema object',
    ],
    [
      "images that are none",
      chat({ messages: [{ ...hello, images: ["§"] }] }),
      400,
      "illegal base64 data at input byte 0",
    ],
    [
      "a long prompt without shift",
      generate({ prompt: "x".repeat(20_000), shift: false }),
      400,
      expect.stringContaining("the prompt is longer than the context length"),
    ],
    [
      "a long prompt without truncation",
      generate({ prompt: "x".repeat(20_000), truncate: false }),
      400,
      expect.stringContaining('"type":"exceed_context_size_error"'),
    ],
    [
      "a schema no grammar can be made of",
      chat({ format: { type: "what" } }),
      400,
      expect.stringContaining("JSON schema conversion failed"),
    ],
  ] as const)("%s", async (_title, [path, body], status, error) => {
    expect(await ask(simulator, path, body)).toMatchObject({ status, json: { error } });
  });

  test("a prompt beyond the context is otherwise cut in silence", async () => {
    const { json } = await ask(simulator, "/api/generate", {
      model,
      prompt: "x".repeat(20_000),
      stream: false,
    });
    expect(json.prompt_eval_count).toBe(4096 - 2046);
  });
});

describe("administration", () => {
  test("a pulled model is there when the pull is over, a deleted one is gone", async () => {
    const { lines } = await ask(simulator, "/api/pull", { model: "phi4:14b" });
    expect([lines[0], lines.at(-1)]).toEqual([{ status: "pulling manifest" }, { status: "success" }]);
    expect(
      (await ask(simulator, "/api/chat", { model: "phi4:14b", messages: [hello], stream: false })).status,
    ).toBe(200);
    expect((await ask(simulator, "/api/delete", { model: "phi4:14b" }, "DELETE")).status).toBe(200);
    expect((await ask(simulator, "/api/chat", { model: "phi4:14b", messages: [hello] })).status).toBe(404);
    expect((await ask(simulator, "/api/delete", { model: "phi4:14b" }, "DELETE")).status).toBe(404);
  });

  test("copy and create make another name for what is there", async () => {
    expect((await ask(simulator, "/api/copy", { source: model, destination: "mine" })).status).toBe(200);
    expect(
      (await ask(simulator, "/api/create", { model: "ours", from: "mine", stream: false })).json,
    ).toEqual({ status: "success" });
    expect((await ask(simulator, "/api/show", { model: "ours" })).json).toMatchObject({
      details: { family: "llama" },
    });
    expect(await ask(simulator, "/api/copy", { source: "none", destination: "x" })).toMatchObject({
      status: 404,
      json: { error: 'model "none" not found' },
    });
    for (const name of ["mine", "ours"]) await ask(simulator, "/api/delete", { model: name }, "DELETE");
  });
});
