import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
let client: OpenAI;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), {
    numParallel: 4,
    tokensPerS: 400,
    models: ["llama3.2:3b", "qwen3:8b", "gemma3:4b"],
  });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "4" })]);
  api = first.url;
  client = new OpenAI({ baseURL: `${api}/v1`, apiKey: "none", maxRetries: 0 });
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const hello = { model, input: "Say hello" };
const lastRequest = () => {
  const last = live.simulator.requests().at(-1);
  return (last?.body ?? {}) as { messages: Record<string, unknown>[]; format?: unknown };
};

async function finished(id: string): Promise<OpenAI.Responses.Response> {
  await ended(api, id.replace("resp_", ""));
  return client.responses.retrieve(id);
}

describe("a response", () => {
  test("has its text, and is the same when it is retrieved", async () => {
    const made = await client.responses.create({
      ...hello,
      instructions: "Be brief.",
      metadata: { ticket: "4711" },
      service_tier: "flex",
      user: "ada",
    });
    expect(made).toMatchObject({
      object: "response",
      status: "completed",
      background: false,
      instructions: "Be brief.",
      metadata: { ticket: "4711" },
      model,
      previous_response_id: null,
      service_tier: "flex",
      store: true,
      user: "ada",
      output: [{ type: "message", role: "assistant", status: "completed" }],
      usage: { output_tokens: expect.any(Number) },
    });
    const job = await get(api, `/jobs/${made.id.replace("resp_", "")}`);
    expect(job.body.result?.message["content"]).toBe(made.output_text);
    expect(job.body).toMatchObject({ lane: "batch", metadata: { ticket: "4711" } });
    expect(await client.responses.retrieve(made.id)).toEqual(made);
  });

  test("streamed, has typed events numbered from 0 that make the same response", async () => {
    const stream = client.responses.stream({ ...hello, instructions: "Be brief." });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
      "response.created",
      "response.queued",
      "response.in_progress",
    ]);
    const last = events.at(-1);
    expect(last?.type).toBe("response.completed");
    const whole = await stream.finalResponse();
    const said = events.flatMap((event) =>
      event.type === "response.output_text.delta" ? [event.delta] : [],
    );
    expect(said.join("")).toBe(whole.output_text);
    expect(said.length).toBeGreaterThan(3);
    expect((await client.responses.retrieve(whole.id)).output_text).toBe(whole.output_text);
  });

  test("cut by max_output_tokens is incomplete, and says why", async () => {
    const cut = await client.responses.create({ ...hello, max_output_tokens: 20 });
    expect(cut).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      max_output_tokens: 20,
      usage: { output_tokens: 20 },
    });
  });

  test("of a thinking model has its thoughts as an item, streamed before its words", async () => {
    const stream = await client.responses.create({
      model: "qwen3:8b",
      input: "Think",
      reasoning: { effort: "low" },
      stream: true,
    });
    const types: string[] = [];
    let whole: OpenAI.Responses.Response | undefined;
    for await (const event of stream) {
      if (types.at(-1) !== event.type) types.push(event.type);
      if (event.type === "response.completed") whole = event.response;
    }
    expect(types).toEqual(
      expect.arrayContaining(["response.reasoning_text.delta", "response.reasoning_text.done"]),
    );
    expect(types.indexOf("response.reasoning_text.done")).toBeLessThan(
      types.indexOf("response.output_text.delta"),
    );
    expect(whole?.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(whole?.reasoning?.effort).toBe("low");
  });

  test("sees a picture", async () => {
    const image_url = `data:image/png;base64,${Buffer.from("\x89PNG").toString("base64")}`;
    const seen = await client.responses.create({
      model: "gemma3:4b",
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is this?" },
            { type: "input_image", image_url, detail: "auto" },
          ],
        },
      ],
    });
    expect(seen.output_text).not.toBe("");
    expect(lastRequest().messages[0]).toMatchObject({ images: [image_url.split(",")[1]] });
    const items = await client.responses.inputItems.list(seen.id);
    expect(items.data[0]).toMatchObject({ content: [{ text: "What is this?" }, { image_url }] });
  });

  test("with probabilities has them at its words", async () => {
    const told = await client.responses.create({ ...hello, top_logprobs: 2, max_output_tokens: 5 });
    const [message] = told.output;
    const part = message?.type === "message" ? message.content[0] : undefined;
    const logprobs = part?.type === "output_text" ? part.logprobs : undefined;
    expect(logprobs).toHaveLength(5);
    expect(logprobs?.[0]?.top_logprobs).toHaveLength(2);
  });
});

test("a JSON Schema is obeyed and echoed, and so is the wish for any JSON", async () => {
  const schema = {
    type: "object",
    properties: { age: { type: "integer" } },
    required: ["age"],
    additionalProperties: false,
  };
  const format = { type: "json_schema" as const, name: "person", strict: true, schema };
  const answer = await client.responses.parse({ ...hello, text: { format } });
  expect(answer.output_parsed).toEqual({ age: expect.any(Number) });
  expect(answer.text?.format).toMatchObject(format);
  const any = await client.responses.create({ ...hello, text: { format: { type: "json_object" } } });
  expect(JSON.parse(any.output_text)).toBeTypeOf("object");
});

const tools = [
  {
    type: "function" as const,
    name: "get_weather",
    description: "Tells the weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
    strict: true,
  },
];
const weather = { model: "qwen3:8b", tools, input: "[call:get_weather] in Ghent" };

test("a function is called; its result goes back under the response's id", async () => {
  const first = await client.responses.create(weather);
  const call = first.output.find((item) => item.type === "function_call");
  expect(call).toMatchObject({ name: "get_weather", status: "completed" });
  expect(first.tools).toMatchObject([{ type: "function", name: "get_weather" }]);
  const second = await client.responses.create({
    ...weather,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: "sunny" }],
  });
  expect(second.output_text).not.toBe("");
  expect(second.previous_response_id).toBe(first.id);
  const { messages } = lastRequest();
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(messages[2]).toMatchObject({ tool_name: "get_weather", content: "sunny" });
  const items = await client.responses.inputItems.list(second.id);
  expect(items.data).toMatchObject([
    { type: "function_call_output", call_id: call?.call_id, output: "sunny" },
  ]);
});

test("the same, with everything sent again as SDKs without memory do", async () => {
  const first = await client.responses.create({ ...weather, store: false });
  const call = first.output.find((item) => item.type === "function_call");
  const second = await client.responses.create({
    ...weather,
    input: [
      { role: "user", content: weather.input },
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      { type: "function_call_output", call_id: call?.call_id ?? "", output: "sunny" },
    ],
  });
  expect(second.output_text).not.toBe("");
  expect(lastRequest().messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
});

test("the same, with references to what was stored, as the AI SDK does it", async () => {
  const first = await client.responses.create({ ...weather, reasoning: { effort: "low" } });
  const call = first.output.find((item) => item.type === "function_call");
  const references = first.output.map(({ id }) => ({ type: "item_reference" as const, id: id ?? "" }));
  await client.responses.create({
    ...weather,
    input: [
      { role: "user", content: weather.input },
      ...references,
      { type: "function_call_output", call_id: call?.call_id ?? "", output: "sunny" },
    ],
  });
  expect(lastRequest().messages).toMatchObject([
    { role: "user" },
    { role: "assistant", tool_calls: [{ function: { name: "get_weather" } }] },
    { role: "tool", tool_name: "get_weather" },
  ]);
});

test("streamed, a call has its arguments as events the SDK puts together", async () => {
  const whole = await client.responses.stream(weather).finalResponse();
  const call = whole.output.find((item) => item.type === "function_call");
  expect(JSON.parse(call?.arguments ?? "")).toBeTypeOf("object");
});

test("a response goes on from another one, whose instructions are not taken over", async () => {
  const first = await client.responses.create({ ...hello, instructions: "Speak like a pirate." });
  const second = await client.responses.create({
    model,
    previous_response_id: first.id,
    instructions: "Be brief.",
    input: "And now?",
  });
  expect(lastRequest().messages).toMatchObject([
    { role: "system", content: "Be brief." },
    { role: "user", content: "Say hello" },
    { role: "assistant", content: first.output_text },
    { role: "user", content: "And now?" },
  ]);
  await client.responses.delete(first.id);
  // What was said is with the response that follows.
  const third = await client.responses.create({
    model,
    previous_response_id: second.id,
    input: "Still there?",
  });
  expect(lastRequest().messages.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "user",
    "assistant",
    "user",
  ]);
  expect((await client.responses.inputItems.list(third.id)).data).toMatchObject([
    { type: "message", role: "user", content: [{ type: "input_text", text: "Still there?" }] },
  ]);
});

test("input items come newest first, a page at a time", async () => {
  const input = ["one", "two", "three"].map((content) => ({ role: "user" as const, content }));
  const { id } = await client.responses.create({ ...hello, input });
  const texts = [];
  for await (const item of client.responses.inputItems.list(id, {
    limit: 2,
    include: ["reasoning.encrypted_content", "message.input_image.image_url"],
  })) {
    texts.push(item.type === "message" && item.content[0]?.type === "input_text" && item.content[0].text);
  }
  expect(texts).toEqual(["three", "two", "one"]);
  const oldest = await client.responses.inputItems.list(id, { limit: 1, order: "asc" });
  expect(oldest).toMatchObject({ data: [{ content: [{ text: "one" }] }], has_more: true });
});

test("in the background it answers at once, is polled, and may be streamed when it is over", async () => {
  const begun = await client.responses.create({ ...hello, background: true });
  expect(["queued", "in_progress"]).toContain(begun.status);
  expect(begun.background).toBe(true);
  const done = await finished(begun.id);
  expect(done).toMatchObject({ id: begun.id, status: "completed" });
  const replay = client.responses.stream({ response_id: begun.id });
  expect((await replay.finalResponse()).output_text).toBe(done.output_text);
});

test("cancelled, it is, however often; one that was completed stays so", async () => {
  const begun = await client.responses.create({ ...hello, background: true, max_output_tokens: 20_000 });
  const stream = await client.responses.retrieve(begun.id, { stream: true });
  const read = (async () => {
    let last;
    for await (const event of stream) last = event;
    return last;
  })();
  expect((await client.responses.cancel(begun.id)).status).toBe("cancelled");
  expect(await read).toMatchObject({ type: "response.failed", response: { status: "cancelled" } });
  expect((await client.responses.cancel(begun.id)).status).toBe("cancelled");
  const done = await client.responses.create({ ...hello, background: true, max_output_tokens: 1 });
  await finished(done.id);
  expect((await client.responses.cancel(done.id)).status).toBe("incomplete");
});

test("deleted, it is gone, also while it runs; and so is one that was not stored", async () => {
  const begun = await client.responses.create({ ...hello, background: true, max_output_tokens: 20_000 });
  await client.responses.delete(begun.id);
  await expect(client.responses.retrieve(begun.id)).rejects.toThrow(OpenAI.NotFoundError);
  const unstored = await client.responses.create({ ...hello, store: false });
  expect(unstored).toMatchObject({ status: "completed", store: false });
  await expect(client.responses.retrieve(unstored.id)).rejects.toThrow(OpenAI.NotFoundError);
  await expect(
    client.responses.create({ ...hello, previous_response_id: unstored.id }),
  ).rejects.toMatchObject({ code: "previous_response_not_found" });
});

test("the same call with the same key is the same response, in the background too", async () => {
  const options = { headers: { "Idempotency-Key": "response-once" } };
  const call = { ...hello, background: true };
  const [a, b] = [await client.responses.create(call, options), await client.responses.create(call, options)];
  expect(b.id).toBe(a.id);
});

describe("refused by name:", () => {
  let id: string;
  beforeAll(async () => {
    id = (await client.responses.create({ ...hello, max_output_tokens: 1 })).id;
  });
  const image = { type: "input_image", image_url: "https://example.org/x.png" };
  test.each([
    [{ tools: [{ type: "web_search" }] }, "tools[0].type"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", name: "f" } }, "tool_choice"],
    [{ tools, parallel_tool_calls: false }, "parallel_tool_calls"],
    [{ input: [] }, "input"],
    [{ input: 5 }, "input"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0].id"],
    [{ input: [{ type: "item_reference", id: `msg_j${"0".repeat(33)}` }] }, "input[0].id"],
    [{ input: [{ type: "computer_call", id: "c" }] }, "input[0].type"],
    [
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] },
      "input[0].content[0].type",
    ],
    [{ input: [{ role: "user", content: [image] }] }, "input[0].content[0]"],
    [{ input: [{ type: "function_call_output", call_id: "none", output: "x" }] }, "input[0].call_id"],
    [{ input: [{ type: "function_call", call_id: "c", name: "f", arguments: "{" }] }, "input[0].arguments"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ truncation: "disabled" }, "truncation"],
    [{ background: true, store: false }, "store"],
    [{ text: { verbosity: "low" } }, "text.verbosity"],
    [{ metadata: { a: 1 } }, "metadata.a"],
    [{ temperature: "hot" }, "temperature"],
    [{ max_output_tokens: 0 }, "max_output_tokens"],
    [{ previous_response_id: "resp_none" }, "previous_response_id"],
    [{ previous_response_id: "" }, "previous_response_id"],
  ])("%j", async (fields, param) => {
    const call = client.responses.create({ ...hello, ...fields } as typeof hello);
    await expect(call).rejects.toMatchObject({ status: 400, param });
  });

  test("an unknown model", async () => {
    await expect(client.responses.create({ ...hello, model: "no-such" })).rejects.toThrow(
      OpenAI.NotFoundError,
    );
  });

  test("what only a response in the background can do, with one that is not", async () => {
    await expect(client.responses.cancel(id)).rejects.toMatchObject({
      status: 400,
      code: "response_not_in_background",
    });
  });

  test("going on from one that still runs, or has no answer", async () => {
    const call = { ...hello, background: true, max_output_tokens: 20_000 };
    const running = await client.responses.create(call);
    const follow = () => client.responses.create({ ...hello, previous_response_id: running.id });
    await expect(follow()).rejects.toMatchObject({ status: 400, code: "previous_response_not_completed" });
    await client.responses.cancel(running.id);
    await expect(follow()).rejects.toMatchObject({ status: 400, code: "previous_response_not_completed" });
  });

  test.each([
    ["stream=true&starting_after=-1", 400],
    ["stream=true&starting_after=one", 400],
    ["stream=true&starting_after=1.5", 400],
    ["stream=true&starting_after=99999999999999999999", 400],
    ["stream=true&starting_after=100000", 400],
    ["starting_after=1", 400],
    ["stream=yes", 400],
    ["wait=5", 400],
    ["include[]=a&include[]=b", 200],
    ["stream=true", 200],
  ])("GET ?%s is %d", async (query, status) => {
    const answer = await fetch(`${api}/v1/responses/${id}?${query}`);
    expect(answer.status).toBe(status);
    if (status === 400) expect(await answer.json()).toHaveProperty("error.type", "invalid_request_error");
    else await answer.text();
  });

  test.each(["limit=0", "limit=101", "limit=x", "order=up", "after=none", "before=x"])(
    "input_items?%s",
    async (query) => {
      expect((await fetch(`${api}/v1/responses/${id}/input_items?${query}`)).status).toBe(400);
    },
  );

  test.each(["resp_none", "none", `resp_j${"0".repeat(33)}`, "%00"])("the id %s", async (unknown) => {
    const statuses = await Promise.all(
      [
        ["GET", ""],
        ["GET", "?stream=true"],
        ["GET", "/input_items"],
        ["POST", "/cancel"],
        ["DELETE", ""],
      ].map(
        async ([method = "", path = ""]) =>
          (await fetch(`${api}/v1/responses/${unknown}${path}`, { method })).status,
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([404]));
  });

  test("a job that is no response", async () => {
    const job = await submit(api, { options: { num_predict: 1 } });
    await expect(client.responses.retrieve(`resp_${job}`)).rejects.toThrow(OpenAI.NotFoundError);
  });
});
