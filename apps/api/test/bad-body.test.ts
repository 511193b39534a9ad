import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";
import { sendRaw } from "./raw-http.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call("POST", "/jobs", { body, headers });
const job = (fields: string): string => `{"model":"${model}","prompt":"hi"${fields}}`;

test.each([
  ["nothing", ""],
  ["text that is no JSON", "prompt=hi"],
  ["JSON that breaks off", '{"prompt":"my secret plan'],
  ["two values", '{"prompt":"hi"} {}'],
  ["a trailing comma", '{"prompt":"hi",}'],
  ["a bare control character", '{"prompt":"a\u0000b"}'],
  ["a byte order mark", '\ufeff{"prompt":"hi"}'],
])("%s is 400 malformed_body, and the answer does not repeat it", async (_, text) => {
  const { status, body } = await post(text);
  expect(status).toBe(400);
  expect(body.code).toBe("malformed_body");
  expect(body.detail).not.toContain("secret");
});

test("bytes that are not UTF-8 are 400", async () => {
  const bytes = Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
  expect(await post(bytes)).toMatchObject({ status: 400, body: { code: "malformed_body" } });
});

test.each([
  ["a list", "[]"],
  ["a text", '"hi"'],
  ["null", "null"],
  ["a number", "1e999"],
])("%s instead of an object is 422", async (_, text) => {
  expect(await post(text)).toMatchObject({ status: 422, body: { code: "invalid_body" } });
});

test.each([
  ["text/plain", "text/plain"],
  ["a form", "application/x-www-form-urlencoded"],
  ["another charset", "application/json; charset=latin1"],
  ["a longer type", "application/jsonp"],
])("%s as Content-Type is 415", async (_, type) => {
  const answer = await post(job(""), { "content-type": type });
  expect(answer).toMatchObject({ status: 415, body: { code: "unsupported_media_type" } });
});

test("no Content-Type is 415: a web page could send that to a server on its reader's machine", async () => {
  const body = job("");
  const answer = await sendRaw(
    api.url,
    `POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer.status).toBe(415);
});

test("a compressed body is 415, not read as garbage", async () => {
  expect((await post(job(""), { "content-encoding": "gzip" })).status).toBe(415);
});

test("charset=utf-8 may be said", async () => {
  expect((await post(job(""), { "content-type": "application/json; charset=UTF-8" })).status).toBe(202);
});

const tenMegabytes = `{"model":"${model}","prompt":"${"x".repeat(10_000_000)}"}`;

test("10 MB announced is 413 with the limit in the answer", async () => {
  const { status, body } = await post(tenMegabytes);
  expect(status).toBe(413);
  expect(body).toMatchObject({ code: "body_too_large", bytes_max: 1_000_000 });
});

test("10 MB in pieces without a length is 413 as soon as it is too much", async () => {
  const head =
    "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const size = tenMegabytes.length.toString(16);
  const answer = await sendRaw(api.url, head, `${size}\r\n`, tenMegabytes, "\r\n0\r\n\r\n");
  expect(answer.status).toBe(413);
  expect(answer.body).toContain('"bytes_max":1000000');
});

test("a client that asks before it sends is told at once", async () => {
  const head = (length: number) =>
    `POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  expect((await sendRaw(api.url, head(10_000_000))).status).toBe(413);
  const body = job("");
  const answer = await sendRaw(api.url, head(body.length), body);
  expect(answer.head).toContain("100 Continue");
  expect(answer.body).toContain("202 Accepted");
});

test("the server goes on after a refused body, on the same connection where that is possible", async () => {
  const small = job("");
  const request = (type: string) =>
    `POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${small.length}\r\n\r\n${small}`;
  const answer = await sendRaw(api.url, request("text/plain"), request("application/json"));
  expect(answer.status).toBe(415);
  expect((await post(job(""))).status).toBe(202);
});

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

test("100 levels of JSON are 422, 30 in a JSON Schema are fine", async () => {
  const deep = await post(job(`,"format":${nested(100)}`));
  expect(deep).toMatchObject({ status: 422, body: { code: "nested_too_deep", depth_max: 32 } });
  expect((await post(job(`,"format":${nested(30)}`))).status).toBe(202);
});

test("half a million brackets are refused without harm", async () => {
  const brackets = `${"[".repeat(450_000)}${"]".repeat(450_000)}`;
  expect((await post(brackets)).status).toBe(422);
});

test.each([
  ["NUL in a prompt", '"prompt":"a\\u0000b"', "prompt"],
  ["half a surrogate pair", '"prompt":"\\ud83d"', "prompt"],
  ["NUL in metadata", '"metadata":{"a":"\\u0000"}', "metadata.a"],
  ["a number too large for any type", '"options":{"seed":1e999}', "options.seed"],
  ["an integer beyond what survives JSON", '"options":{"num_predict":1e300}', "options.num_predict"],
  ["a negative count", '"attempts":-1', "attempts"],
  ["a fraction of a count", '"attempts":1.5', "attempts"],
])("%s is 422 and named", async (_, fields, path) => {
  const { status, body } = await post(`{"model":"${model}","prompt":"hi",${fields}}`);
  expect(status).toBe(422);
  expect(body.errors.map((error) => error.path)).toContain(path);
});

test("of a key that comes twice the last one counts, as everywhere in JSON", async () => {
  const { status, body } = await post(job(',"lane":"batch","lane":"interactive"'));
  expect(status).toBe(202);
  expect(body["lane"]).toBe("interactive");
});

test("keys that mean something to JavaScript mean nothing here", async () => {
  const { status, body } = await post(job(',"__proto__":{"lane":"batch"},"constructor":1,"toString":2'));
  expect(status).toBe(422);
  expect(body.errors.map((error) => error.path)).toEqual(expect.arrayContaining(["constructor", "toString"]));
});
