import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

const messages = [{ role: "user" as const, content: "Say hello" }];
const chat = { model, messages };

describe("with keys in use", () => {
  let api: ApiFixture;
  let key: string;
  beforeAll(async () => {
    api = await createApiFixture(inject("redisUrl"), { API_TENANT_JOBS_OPEN_MAX: "1" });
    key = ((await api.withKey())["authorization"] ?? "").replace("Bearer ", "");
    // That keys are used now is noticed within a second.
    await waitFor(async () => (await api.call("GET", "/models")).status === 401, {
      what: "keys are asked for",
    });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  test.each([
    ["POST", "/v1/chat/completions"],
    ["GET", "/v1/models"],
    ["GET", "/v1/nothing"],
  ])("without one %s %s is 401 in OpenAI's shape", async (method, path) => {
    const answer = await api.call(method, path, method === "POST" ? { body: chat } : {});
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    expect(answer.body).toEqual({
      error: {
        message: expect.any(String),
        type: "authentication_error",
        param: null,
        code: "invalid_api_key",
      },
    });
  });

  test.each([
    ["POST", "/api/chat"],
    ["GET", "/api/tags"],
    ["GET", "/api/nothing"],
  ])("without one %s %s is 401 in Ollama's shape", async (method, path) => {
    const answer = await api.call(method, path, method === "POST" ? { body: chat } : {});
    expect([answer.status, Object.keys(answer.body)]).toEqual([401, ["error"]]);
  });

  test("without one POST /v1/messages is 401 in Anthropic's shape; its header for keys is taken", async () => {
    const wrong = new Anthropic({ baseURL: api.url, apiKey: "fbk_wrong", maxRetries: 0 });
    const right = new Anthropic({ baseURL: api.url, apiKey: key, maxRetries: 0 });
    const call = { model: "no-such", max_tokens: 5, messages };
    await expect(wrong.messages.create(call)).rejects.toThrow(Anthropic.AuthenticationError);
    await expect(right.messages.create(call)).rejects.toThrow(Anthropic.NotFoundError);
  });

  test("the SDKs know what it was", async () => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "fbk_wrong", maxRetries: 0 });
    await expect(openai.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    const headers = { Authorization: "Bearer fbk_wrong" };
    await expect(new Ollama({ host: api.url, headers }).list()).rejects.toMatchObject({ status_code: 401 });
  });

  test("over the tenant's limit OpenAI's answer has a wait its SDKs obey, and the rate headers", async () => {
    const headers = { authorization: `Bearer ${key}` };
    expect((await api.submit({}, headers)).status).toBe(202);
    const answer = await api.call("POST", "/v1/chat/completions", { body: chat, headers });
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ error: { type: "rate_limit_error", code: "rate_limit_exceeded" } });
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(answer.headers.get("x-ratelimit-limit-requests")).toBe("1");
    expect(answer.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(answer.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+s$/);
  });

  test("Anthropic's has one, too", async () => {
    const call = new Anthropic({ baseURL: api.url, apiKey: key, maxRetries: 0 });
    const refused = call.messages.create({ model, max_tokens: 5, messages });
    await expect(refused).rejects.toThrow(Anthropic.RateLimitError);
    await expect(refused).rejects.toMatchObject({ type: "rate_limit_error" });
  });

  test("and Ollama's is the one its clients look for", async () => {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await api.call("POST", "/api/chat", { body: chat, headers });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain("server busy, please try again.  maximum pending requests exceeded");
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
  });
});

describe("without keys", () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await createApiFixture(inject("redisUrl"));
  });
  afterAll(() => api[Symbol.asyncDispose]());

  test.each([
    ["GET", "/v1/nothing", 404, null],
    ["POST", "/v1/audio/speech", 404, null],
    ["GET", "/v1/chat/completions", 405, "OPTIONS, POST"],
    ["DELETE", `/v1/models/${model}`, 405, "GET, HEAD, OPTIONS"],
  ])("%s %s → %d in OpenAI's shape", async (method, path, status, allow) => {
    const answer = await api.call(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([status, allow]);
    expect(answer.body).toEqual({
      error: {
        message: expect.any(String),
        type: expect.stringMatching(/_error$/),
        param: null,
        code: expect.any(String),
      },
    });
  });

  test.each([
    ["GET", "/api/nothing", 404, null],
    ["GET", "/api/chat", 405, "OPTIONS, POST"],
    ["POST", "/api/tags", 405, "GET, HEAD, OPTIONS"],
    ["DELETE", "/api/delete", 403, null],
    ["POST", "/api/blobs/sha256:00", 403, null],
  ])("%s %s → %d in Ollama's shape", async (method, path, status, allow) => {
    const answer = await api.call(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([status, allow]);
    expect(answer.body).toEqual({ error: expect.any(String) });
  });

  test.each(["/", "/api/version", "/api/tags"])("HEAD %s says that somebody is there", async (path) => {
    expect((await api.call("HEAD", path)).status).toBe(200);
  });

  test("what cannot be given is refused, not left out: probabilities of a text completion", async () => {
    const answer = await api.call("POST", "/v1/completions", { body: { model, prompt: "x", logprobs: 3 } });
    expect([answer.status, (answer.body["error"] as { param: string }).param]).toEqual([400, "logprobs"]);
  });
});
