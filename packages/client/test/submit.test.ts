import { expect, test } from "vitest";
import { ConnectionError, createClient, type Retry } from "../src/index.ts";
import { hangUp, json, refuse, startScriptedServer } from "./scripted-server.ts";

const accepted = json(202, { job_id: "j1", state: "waiting" });
const busy = refuse(503, "backlog_full", { "retry-after": "0" });
const job = { model: "llama3.2:3b", prompt: "hello" };

test("a job is sent once, with the key, as JSON, and comes back as the server sees it", async () => {
  await using server = await startScriptedServer(accepted);
  const client = createClient({ baseUrl: `${server.url}/`, apiKey: "fbk_x" });
  expect(await client.submit(job)).toEqual({ job_id: "j1", state: "waiting" });
  expect(server.requests).toMatchObject([{ method: "POST", path: "/jobs", body: JSON.stringify(job) }]);
  expect(server.requests[0]?.headers).toMatchObject({
    authorization: "Bearer fbk_x",
    "content-type": "application/json",
    "idempotency-key": expect.stringMatching(/^[a-z0-9]{28}$/),
  });
  expect(server.requests[0]?.headers["prefer"]).toBeUndefined();
});

test("it is sent again, under the same key, while the server is away, busy or over a limit", async () => {
  await using server = await startScriptedServer(
    hangUp,
    busy,
    refuse(429, "too_many_open_jobs", { "retry-after": "0" }),
    refuse(502, "service_unreachable"),
    accepted,
  );
  const retries: Retry[] = [];
  const client = createClient({ baseUrl: server.url });
  await client.submit(job, { onRetry: (retry) => retries.push(retry) });
  expect(new Set(server.requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  expect(retries.map(({ error }) => error.code)).toEqual([
    "connection_failed",
    "backlog_full",
    "too_many_open_jobs",
    "service_unreachable",
  ]);
});

test("every call makes a key of its own, unless one is given, in the call or in the job", async () => {
  await using server = await startScriptedServer(accepted);
  const client = createClient({ baseUrl: server.url });
  await client.submit(job);
  await client.submit(job);
  await client.submit(job, { idempotencyKey: "mine" });
  await client.submit({ ...job, idempotency_key: "in the job" });
  const keys = server.requests.map(({ headers }) => headers["idempotency-key"]);
  expect(keys[0]).not.toBe(keys[1]);
  expect(keys.slice(2)).toEqual(["mine", undefined]);
});

test("the server is given up after a few tries, and its last word is the error", async () => {
  await using server = await startScriptedServer(hangUp, busy);
  const error = await createClient({ baseUrl: server.url, retries: 2 })
    .submit(job)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "ForebayError", status: 503, code: "backlog_full", retryAfterS: 0 });
  expect(server.requests).toHaveLength(3);
});

test("a refusal that will not pass is told at once, with everything the server said", async () => {
  await using server = await startScriptedServer(
    json(422, {
      status: 422,
      code: "invalid_body",
      detail: "model is wrong.",
      errors: [{ path: "model", message: "is wrong" }],
      request_id: "r1",
    }),
  );
  await expect(createClient({ baseUrl: server.url }).submit(job)).rejects.toMatchObject({
    message: "model is wrong.",
    status: 422,
    code: "invalid_body",
    errors: [{ path: "model", message: "is wrong" }],
    requestId: "r1",
  });
  expect(server.requests).toHaveLength(1);
});

test("a Retry-After longer than a minute is left to the caller", async () => {
  await using server = await startScriptedServer(refuse(503, "backlog_full", { "retry-after": "300" }));
  const submitted = createClient({ baseUrl: server.url }).submit(job);
  await expect(submitted).rejects.toMatchObject({ status: 503, retryAfterS: 300 });
  expect(server.requests).toHaveLength(1);
});

test("a server that does not listen is a ConnectionError that names the address and the reason", async () => {
  const submitted = createClient({ baseUrl: "http://127.0.0.1:1", retries: 0 }).submit(job);
  await expect(submitted).rejects.toBeInstanceOf(ConnectionError);
  await expect(submitted).rejects.toMatchObject({
    status: 0,
    message: expect.stringContaining("127.0.0.1:1"),
  });
});

test.each([
  ["a page", "<html>hello</html>", "not JSON"],
  ["somebody else's JSON", '{"service":"other"}', "not a job"],
  ["nothing", "", "not a job"],
])("an answer that is %s is not taken for a job", async (_, body, why) => {
  await using server = await startScriptedServer((response) => response.end(body));
  const submitted = createClient({ baseUrl: server.url }).submit(job);
  await expect(submitted).rejects.toMatchObject({
    code: "unexpected_answer",
    message: expect.stringContaining(why),
  });
});

test("a refusal that is no problem document is told by its status", async () => {
  await using server = await startScriptedServer((response) => response.writeHead(403).end("<h1>No</h1>"));
  const submitted = createClient({ baseUrl: server.url }).submit(job);
  await expect(submitted).rejects.toMatchObject({ status: 403, code: "http_403" });
});

test("the caller's signal ends a call, also between tries, with its reason", async () => {
  await using server = await startScriptedServer(refuse(503, "backlog_full", { "retry-after": "60" }));
  const abort = new AbortController();
  const reason = new Error("enough");
  const submitted = createClient({ baseUrl: server.url }).submit(job, {
    signal: abort.signal,
    onRetry: () => abort.abort(reason),
  });
  await expect(submitted).rejects.toBe(reason);

  await using silent = await startScriptedServer(() => undefined);
  const waiting = createClient({ baseUrl: silent.url }).submit(job, { signal: AbortSignal.timeout(50) });
  await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
});

test("the answer can be waited for in the same request", async () => {
  await using server = await startScriptedServer(accepted);
  const client = createClient({ baseUrl: server.url });
  await client.submit(job, { waitMs: 1_500, cancelOnDisconnect: true });
  await client.submit(job, { waitMs: 999_000 });
  expect(server.requests[0]?.headers).toMatchObject({ prefer: "wait=2", "forebay-on-disconnect": "cancel" });
  expect(server.requests[1]?.headers["prefer"]).toBe("wait=60");
});

test("a base URL that is none is refused when the client is made", () => {
  expect(() => createClient({ baseUrl: "localhost:8080" })).toThrow(TypeError);
  expect(() => createClient({ baseUrl: "" })).toThrow(TypeError);
});
