import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

const chat = { prompt: undefined, messages: [{ role: "user", content: "hi" }] };

test.each([
  ["an empty prompt", { prompt: "" }, "prompt", "must not be empty"],
  ["a prompt that is a number", { prompt: 7 }, "prompt", /string/],
  ["no messages", { prompt: undefined, messages: [] }, "messages", /at least one/],
  ["an unknown role", { ...chat, messages: [{ role: "king", content: "" }] }, "messages[0].role", /user/],
  ["an empty text to embed", { prompt: undefined, input: [""] }, "input[0]", /empty/],
  ["neither prompt nor messages nor input", { prompt: undefined }, "prompt", /required/],
  ["prompt and messages together", { ...chat, prompt: "hi" }, "prompt", /only one/],
  ["an unknown type", { type: "paint" }, "type", /generate, chat, embed/],
  ["an unknown field", { propmt: "hi" }, "propmt", "is not a known field"],
  ["a field of another type", { messages: [], type: "generate" }, "messages", /chat jobs/],
  ["a field that comes later", { webhook: { url: "http://x" } }, "webhook", "is not supported yet"],
  ["an unknown option", { options: { num_ctxx: 1 } }, "options.num_ctxx", "is not a known field"],
  ["an option of the wrong type", { options: { num_ctx: "big" } }, "options.num_ctx", /number/],
  ["an unknown lane", { lane: "fast" }, "lane", /interactive/],
  ["11 attempts", { attempts: 11 }, "attempts", /10/],
  ["a data: URL as image", { images: ["data:image/png;base64,AAAA"] }, "images[0]", /base64/],
  ["a model name with a space", { model: "llama 3" }, "model", /model name/],
  ["a schema no answer can be checked against", { format: { required: "a" } }, "format.required", /list/],
  ["a schema that is elsewhere", { format: { $ref: "http://x/y" } }, "format.$ref", /nothing is fetched/],
  ["metadata that is not text", { metadata: { a: 1 } }, "metadata.a", /string/],
  [
    "17 pairs of metadata",
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"])) },
    "metadata",
    /16/,
  ],
])("%s is 422 and says where and what", async (_, fields, path, message) => {
  const { status, body, headers } = await api.submit(fields);
  expect(status).toBe(422);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({ code: "invalid_body", type: "urn:forebay:problem:invalid_body", status: 422 });
  const error = body.errors.find((each) => each.path === path);
  expect(error, JSON.stringify(body.errors)).toBeDefined();
  expect(error?.message).toMatch(message);
});

test("every mistake is told at once", async () => {
  const { body } = await api.submit({ prompt: "", lane: "fast", wait: 3, options: { seed: "x" } });
  const paths = body.errors.map((error) => error.path);
  expect(paths).toEqual(expect.arrayContaining(["prompt", "lane", "wait", "options.seed"]));
});

test("a million mistakes are not answered with as many lines", async () => {
  const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, 1]));
  const { status, text } = await api.submit(fields);
  expect(status).toBe(422);
  expect(text.length).toBeLessThan(10_000);
});

test("without a model and without a default one the field is asked for", async () => {
  const { status, body } = await api.submit({ model: undefined });
  expect(status).toBe(422);
  expect(body.errors).toEqual([expect.objectContaining({ path: "model" })]);
});

test("unknown query parameters are refused by name", async () => {
  const body = { model, prompt: "hi" };
  const answer = await api.call("POST", "/jobs?priority=1", { body });
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
  expect(answer.body.errors).toEqual([expect.objectContaining({ path: "?priority" })]);
});
