import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture } from "./api-fixture.ts";
import { sendRaw } from "./raw-http.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

test("an unknown address is 404, a known one with the wrong method 405 with what it takes", async () => {
  expect(await api.call("GET", "/nothing/here")).toMatchObject({ status: 404, body: { code: "not_found" } });
  const put = await api.call("PUT", "/jobs", { body: {} });
  expect(put).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
  expect(put.headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
  const { body } = await api.submit();
  const patch = await api.call("PATCH", `/jobs/${body.job_id}`, { body: {} });
  expect(patch.headers.get("allow")).toBe("DELETE, GET, HEAD, OPTIONS");
  expect((await api.call("DELETE", "/docs")).status).toBe(405);
  expect((await api.call("GET", `/jobs/${body.job_id}/cancel`)).status).toBe(405);
});

test("every refusal is a problem with a stable type and the request's name", async () => {
  for (const answer of [
    await api.call("GET", "/nothing"),
    await api.submit({ prompt: "" }),
    await api.call("GET", "/jobs/x"),
  ]) {
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body["type"]).toBe(`urn:forebay:problem:${answer.body.code}`);
    expect(answer.body["status"]).toBe(answer.status);
    expect(answer.body["request_id"]).toBe(answer.headers.get("x-request-id"));
  }
});

test("HEAD answers as GET without the body, OPTIONS says what is taken", async () => {
  const { body } = await api.submit();
  const head = await api.call("HEAD", `/jobs/${body.job_id}`);
  expect(head).toMatchObject({ status: 200, text: "" });
  expect(head.headers.get("etag")).not.toBeNull();
  const options = await api.call("OPTIONS", "/jobs");
  expect(options.status).toBe(204);
  expect(options.headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
});

test("a request keeps the name its caller gave it, unless that is no name", async () => {
  const named = async (id: string) =>
    (await api.call("GET", "/jobs", { headers: { "x-request-id": id } })).headers.get("x-request-id");
  expect(await named("trace-7.a_b:c/d=")).toBe("trace-7.a_b:c/d=");
  for (const bad of ["", "two words", "<script>", "x".repeat(129)]) expect(await named(bad)).toMatch(/^req_/);
  expect(await named("a")).not.toBe(await named("b"));
});

test("each request gets a name of its own", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.call("GET", "/models")));
  expect(new Set(answers.map((answer) => answer.headers.get("x-request-id"))).size).toBe(20);
});

test.each([
  ["no HTTP at all", 400, "HELLO\r\n\r\n"],
  ["a header with a NUL", 400, "GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\n\r\n"],
  [
    "two different lengths",
    400,
    "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  ],
  ["a Host with a slash", 400, "GET /jobs HTTP/1.1\r\nHost: a/b\r\n\r\n"],
  ["headers without end", 431, `GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-A: ${"a".repeat(40_000)}\r\n\r\n`],
])("%s is answered %s with a problem", async (_, status, text) => {
  const answer = await sendRaw(api.url, text);
  expect(answer.status).toBe(status);
  expect(answer.head.toLowerCase()).toContain("content-type: application/problem+json");
});

test("a client that leaves in the middle of its body harms nobody", async () => {
  const { port } = new URL(api.url);
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"prompt":"'));
        setImmediate(() => abort.abort());
      },
    });
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", body, headers, duplex: "half", signal: abort.signal } as const;
    await expect(fetch(`http://127.0.0.1:${port}/jobs`, options)).rejects.toThrow();
  }
  expect((await api.submit()).status).toBe(202);
});
