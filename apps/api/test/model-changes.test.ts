import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { waitFor } from "@forebay/test-harness";
import { Ollama } from "ollama";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createApiFixture } from "./api-fixture.ts";
import { createLiveStack, ended, type LiveStack, model, post, submit } from "./live-fixture.ts";

let live: LiveStack;
let second: Simulator;
let api: string;
const startWorker = (env: Record<string, string> = {}) =>
  live.startWorker({
    OLLAMA_URLS: `one=${live.simulator.url},two=${second.url}`,
    // It is announced for three times that, also when it is dead.
    WORKER_DISCOVERY_INTERVAL_MS: "5000",
    MODEL_CHANGES: "true",
    ...env,
  });
let worker: Awaited<ReturnType<typeof startWorker>>;

beforeAll(async () => {
  second = await startSimulator({ models: [model, "only-two:1b"] });
  live = await createLiveStack(inject("redisUrl"), { models: [model, "only-one:1b"] });
  const [first, started] = await Promise.all([live.startApi({ MODEL_CHANGES: "true" }), startWorker()]);
  api = first.url;
  worker = started;
  await ended(api, await submit(api));
});
afterAll(async () => {
  await live[Symbol.asyncDispose]();
  await second.close();
});

const modelsOf = async ({ url }: { url: string }): Promise<string[]> => {
  const { models } = await new Ollama({ host: url }).list();
  return models.map(({ name }) => name).toSorted();
};
const call = async (method: string, path: string, body: unknown, headers: Record<string, string> = {}) => {
  const init = {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
  const answer = await fetch(api + path, init);
  const text = await answer.text();
  return { status: answer.status, text, error: text.startsWith("{") ? JSON.parse(text).error : undefined };
};

test("the official client pulls a model onto every host, sees how far each is, and can use it at once", async () => {
  const seen: { status: string; backend?: string }[] = [];
  for await (const line of await new Ollama({ host: api }).pull({ model: "new:1b", stream: true }))
    seen.push(line);
  expect(seen.at(-1)).toEqual({ status: "success" });
  expect(new Set(seen.map(({ backend }) => backend))).toEqual(new Set(["one", "two", undefined]));
  expect(await modelsOf(live.simulator)).toContain("new:1b");
  expect(await modelsOf(second)).toContain("new:1b");
  await waitFor(async () => (await modelsOf({ url: api })).includes("new:1b"), {
    what: "the new model in the list",
  });
  expect((await ended(api, await submit(api, { model: "new:1b" }))).state).toBe("completed");
});

test("not streamed, there is one answer; a header names the one host that is meant", async () => {
  const pulled = await call(
    "POST",
    "/api/pull",
    { model: "here:1b", stream: false },
    { "forebay-backend": "two" },
  );
  expect([pulled.status, JSON.parse(pulled.text)]).toEqual([200, { status: "success" }]);
  expect(await modelsOf(second)).toContain("here:1b");
  expect(await modelsOf(live.simulator)).not.toContain("here:1b");
});

test("a copy is made, and a delete happens, where the model is", async () => {
  expect((await call("POST", "/api/copy", { source: "only-one:1b", destination: "copied:1b" })).status).toBe(
    200,
  );
  expect(await modelsOf(live.simulator)).toContain("copied:1b");
  expect(await modelsOf(second)).not.toContain("copied:1b");
  expect((await call("DELETE", "/api/delete", { model: "only-two:1b" })).status).toBe(200);
  expect(await modelsOf(second)).not.toContain("only-two:1b");
});

test("what a host refuses is said in its words, streamed as a line and else with its status", async () => {
  const bad = { model: "not/a/good/name/at all" };
  const streamed = await call("POST", "/api/pull", bad, { "forebay-backend": "one" });
  expect([streamed.status, JSON.parse(streamed.text.trim())]).toEqual([200, { error: "invalid model name" }]);
  const whole = await call("POST", "/api/pull", { ...bad, stream: false });
  expect([whole.status, whole.error]).toEqual([400, "one: invalid model name; two: invalid model name"]);
});

test.each([
  ["POST", "/api/pull", {}, {}, 400, "model is required"],
  ["POST", "/api/pull", [], {}, 400, "must be an object"],
  ["POST", "/api/pull", { model: 7 }, {}, 400, "names are texts"],
  ["POST", "/api/copy", { source: "a" }, {}, 400, "source and destination"],
  ["DELETE", "/api/delete", { model: "no-such" }, {}, 404, "model 'no-such' not found"],
  ["POST", "/api/push", { model: "no-such" }, {}, 404, "not found"],
  ["POST", "/api/pull", { model: "x" }, { "forebay-backend": "three" }, 404, "one, two"],
  ["POST", "/api/blobs/sha256:00", {}, {}, 403, "blobs are not available"],
] as const)("%s %s %j %j → %d", async (method, path, body, headers, status, words) => {
  const answer = await call(method, path, body, headers);
  expect(answer.status).toBe(status);
  expect(answer.error).toContain(words);
});

test("switched off, nobody may", async () => {
  const off = await live.startApi();
  const answer = await post(off.url, "/api/pull", { model: "x" });
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([
    403,
    expect.stringContaining("MODEL_CHANGES=true"),
  ]);
});

test("it needs an admin's key, of these models if it is limited, and workers that allow it", async () => {
  await using alone = await createApiFixture(inject("redisUrl"), { MODEL_CHANGES: "true" });
  const pull = async (key: Parameters<typeof alone.withKey>[0], wanted = model) => {
    const headers = await alone.withKey(key);
    const { status, body } = await alone.call("POST", "/api/pull", { headers, body: { model: wanted } });
    return [status, body["error"]];
  };
  expect(await pull({ role: "operator" })).toEqual([403, expect.stringContaining("role admin")]);
  expect(await pull({ role: "admin", models: [model] }, "other:1b")).toEqual([
    403,
    "this key is limited to other models",
  ]);
  expect(await pull({ role: "admin" })).toEqual([503, expect.stringContaining("MODEL_CHANGES=true")]);
});

test("a pull asked for while the worker is dead is done by the next one, also when nobody waits any more", async () => {
  await worker.kill("SIGKILL");
  const gone = new AbortController();
  const answer = await fetch(`${api}/api/pull`, {
    method: "POST",
    body: JSON.stringify({ model: "later:1b" }),
    signal: gone.signal,
  });
  expect(answer.status).toBe(200);
  gone.abort();
  worker = await startWorker();
  await waitFor(async () => (await modelsOf(second)).includes("later:1b"), {
    what: "the model on the host",
    timeoutMs: 30_000,
  });
  await waitFor(async () => (await modelsOf(live.simulator)).includes("later:1b"), {
    what: "the model on the host",
    timeoutMs: 30_000,
  });
});
