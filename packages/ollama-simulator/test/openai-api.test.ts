import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../src/index.ts";
import { ask, get } from "./ask.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({
    models: ["llama3.2:3b", "qwen3:8b", "gemma3:4b", "nomic-embed-text"],
    maxLoaded: 9,
  });
});

afterAll(() => simulator.close());

const model = "llama3.2:3b";
const messages = [{ role: "user", content: "Hello" }];
const chat = (rest: object = {}) => ask(simulator, "/v1/chat/completions", { model, messages, ...rest });

/** The data of a stream of events; the last one is a marker rather than JSON. */
function events(text: string): Record<string, unknown>[] {
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
  return text
    .split("\n\n")
    .slice(0, -2)
    .map((event) => JSON.parse(event.replace(/^data: /, "")));
}

describe("chat completions", () => {
  test("answer in one piece by default", async () => {
    const { status, json } = await chat({ max_tokens: 5 });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      object: "chat.completion",
      model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: expect.stringMatching(/./) },
          finish_reason: "length",
        },
      ],
      usage: { completion_tokens: 5, total_tokens: expect.any(Number) },
    });
  });

  test("stream a role first, a finish chunk, the usage if wanted, and the marker", async () => {
    const { type, text } = await chat({
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 2,
    });
    expect(type).toBe("text/event-stream");
    const all = events(text);
    expect(
      all.map(({ choices }) => (choices as { delta?: object; finish_reason?: string }[])[0]),
    ).toMatchObject(
      [
        { delta: { role: "assistant", content: expect.any(String) }, finish_reason: null },
        { delta: { content: expect.any(String) } },
        { delta: {}, finish_reason: "length" },
        {},
      ]
        .slice(0, 3)
        .concat([undefined as never]),
    );
    expect(all.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
  });

  test("say the same as the native endpoint", async () => {
    const native = await ask(simulator, "/api/chat", { model, messages, stream: false });
    expect((await chat()).json).toMatchObject({
      choices: [{ message: { content: (native.json.message as { content: string }).content } }],
    });
  });

  test("keep to a schema", async () => {
    const schema = { type: "object", properties: { n: { const: 4 } }, required: ["n"] };
    const { json } = await chat({
      response_format: { type: "json_schema", json_schema: { name: "x", schema } },
    });
    expect(json).toMatchObject({ choices: [{ message: { content: '{"n":4}' }, finish_reason: "stop" }] });
  });

  test("call tools, with their arguments as text", async () => {
    const tools = [
      {
        type: "function",
        function: { name: "f", parameters: { type: "object", properties: { x: { const: 1 } } } },
      },
    ];
    const asked = { tools, messages: [{ role: "user", content: "[call:f]" }] };
    const call = { type: "function", function: { name: "f", arguments: '{"x":1}' } };
    expect((await chat(asked)).json).toMatchObject({
      choices: [{ finish_reason: "tool_calls", message: { tool_calls: [call] } }],
    });
    const streamed = events((await chat({ ...asked, stream: true })).text);
    expect(streamed.at(-1)).toMatchObject({ choices: [{ finish_reason: "tool_calls" }] });
  });

  test("think as much as the effort asks for", async () => {
    const message = async (rest: object) =>
      (await chat({ model: "qwen3:8b", ...rest })).json.choices as { message: { reasoning?: string } }[];
    expect((await message({}))[0]?.message.reasoning).toBeDefined();
    expect((await message({ reasoning_effort: "none" }))[0]?.message.reasoning).toBeUndefined();
    expect(await chat({ reasoning_effort: "enormous" })).toMatchObject({
      status: 400,
      json: { error: { type: "invalid_request_error" } },
    });
  });

  test("see an image given as data", async () => {
    const part = (url: string) => [
      {
        role: "user",
        content: [
          { type: "text", text: "See" },
          { type: "image_url", image_url: { url } },
        ],
      },
    ];
    expect((await chat({ model: "gemma3:4b", messages: part("data:image/png;base64,aGk=") })).status).toBe(
      200,
    );
    expect((await chat({ model: "gemma3:4b", messages: part("https://example.com/x.png") })).status).toBe(
      400,
    );
  });

  test("a failure in mid-stream is swallowed: no finish, no marker", async () => {
    simulator.setFault({ kind: "in_band_error", after_tokens: 1, times: 1 });
    const { status, text } = await chat({ stream: true });
    expect(status).toBe(200);
    expect(text).not.toContain("[DONE]");
    expect(text).not.toContain("error");
    expect(text.match(/data: /g)).toHaveLength(2);
  });
});

test("text completions answer whole and streamed", async () => {
  const body = { model, prompt: "Hello", max_tokens: 3 };
  const whole = (await ask(simulator, "/v1/completions", body)).json;
  expect(whole).toMatchObject({
    object: "text_completion",
    choices: [{ finish_reason: "length" }],
    usage: { completion_tokens: 3 },
  });
  const streamed = events((await ask(simulator, "/v1/completions", { ...body, stream: true })).text);
  const texts = streamed.map(({ choices }) => (choices as { text: string }[])[0]?.text);
  expect(texts.join("")).toBe((whole.choices as { text: string }[])[0]?.text);
});

test("embeddings come as numbers or base64", async () => {
  const ask1 = async (rest: object) =>
    (await ask(simulator, "/v1/embeddings", { model: "nomic-embed-text", input: "a", ...rest })).json;
  const [plain] = (await ask1({ dimensions: 4 })).data as { embedding: number[] }[];
  const [packed] = (await ask1({ dimensions: 4, encoding_format: "base64" })).data as { embedding: string }[];
  const bytes = Buffer.from(packed?.embedding ?? "", "base64");
  expect([0, 1, 2, 3].map((i) => bytes.readFloatLE(i * 4))).toEqual(plain?.embedding);
  expect(await ask(simulator, "/v1/embeddings", { model: "nomic-embed-text" })).toMatchObject({
    status: 400,
  });
});

test("models are listed and found by name", async () => {
  const { data } = (await get(simulator, "/v1/models")).json;
  expect(data).toContainEqual({
    id: model,
    object: "model",
    created: expect.any(Number),
    owned_by: "library",
  });
  expect((await get(simulator, `/v1/models/${model}`)).json).toMatchObject({ id: model });
});

test.each([
  ["an unknown model", { model: "nope" }, 404, "not_found_error", "model 'nope' not found"],
  ["no messages", { messages: [] }, 400, "invalid_request_error", "[] is too short - 'messages'"],
  [
    "no content",
    { messages: [{ role: "user" }] },
    400,
    "invalid_request_error",
    "invalid message content type: <nil>",
  ],
])("%s is refused in OpenAI's shape", async (_title, rest, status, type, message) => {
  expect(await chat(rest)).toMatchObject({
    status,
    json: { error: { message, type, param: null, code: null } },
  });
});
