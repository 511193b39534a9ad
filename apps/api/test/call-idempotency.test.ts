import {
  closeRedis,
  createQueueDirectory,
  logKey,
  openQueueSpace,
  openRedis,
  readJob,
  waitForRedis,
} from "@forebay/queue-bullmq";
import OpenAI from "openai";
import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, post, submit } from "./live-fixture.ts";

let live: LiveStack;
let api: string;
let replica: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 100 });
  const [first, second] = await Promise.all([
    live.startApi(),
    live.startApi(),
    live.startWorker({ WORKER_CONCURRENCY: "2" }),
  ]);
  [api, replica] = [first.url, second.url];
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

const messages = [{ role: "user" as const, content: "Say hello" }];
const body = { model, messages, max_tokens: 20, seed: 1 };
const jobs = async () => (await get(api, "/jobs?limit=50")).body.jobs.map(({ job_id }) => job_id);

async function removeLog(id: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const prefix = live.env["FOREBAY_KEY_PREFIX"] ?? "";
  const client = openRedis({ url: inject("redisUrl"), prefix }, "consumer", "test", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  const space = openQueueSpace(client, prefix);
  stack.defer(() => space.close());
  const job = await readJob(space, createQueueDirectory(space), id);
  expect(await client.del(logKey(space.jobKey(job?.queueName ?? "", id)))).toBe(1);
}

test("the same call with the same key, at once and on two replicas, is one job with one answer", async () => {
  const before = await jobs();
  const headers = { "idempotency-key": "race" };
  const answers = await Promise.all(
    [api, replica, api, replica].map((url) => post(url, "/v1/chat/completions", body, headers)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(new Set(answers.map(({ body: answer }) => JSON.stringify(answer))).size).toBe(1);
  expect(answers.filter(({ headers: given }) => given.get("idempotency-replayed") === null)).toHaveLength(1);
  expect((await jobs()).length).toBe(before.length + 1);
});

test("an SDK that loses patience and tries again gets the answer of the job it made first", async () => {
  const before = await jobs();
  const client = new OpenAI({ baseURL: `${api}/v1`, apiKey: "none", maxRetries: 8, timeout: 400 });
  const call = { ...body, max_tokens: 120 };
  const answer = await client.chat.completions.create(call, { headers: { "Idempotency-Key": "impatient" } });
  expect(answer.usage?.completion_tokens).toBe(120);
  expect((await jobs()).length).toBe(before.length + 1);
});

test("a stream that was left is heard again from its beginning", async () => {
  const call = { model, prompt: "Tell me", options: { num_predict: 100, seed: 2 } };
  const open = (signal?: AbortSignal) =>
    fetch(`${api}/api/generate`, {
      method: "POST",
      headers: { "idempotency-key": "left" },
      body: JSON.stringify(call),
      ...(signal && { signal }),
    });
  const before = await jobs();
  const leaving = new AbortController();
  const reader = (await open(leaving.signal)).body?.getReader();
  await reader?.read();
  leaving.abort();
  const again = await open();
  const lines = (await again.text()).trim().split("\n");
  const said = lines.map((line) => (JSON.parse(line) as { response: string }).response).join("");
  const job = (await jobs())[0] ?? "";
  expect(said).toBe((await ended(api, job)).result?.response);
  expect((await jobs()).length).toBe(before.length + 1);
});

test("a stream of a job whose events are gone has its whole text all the same", async () => {
  const call = { ...body, max_tokens: 10, stream: true };
  const headers = { "content-type": "application/json", "idempotency-key": "forgotten" };
  const read = async () => {
    const answer = await fetch(`${api}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(call),
    });
    const chunks = [...(await answer.text()).matchAll(/^data: (\{.*)$/gm)].map(
      ([, data = ""]) => JSON.parse(data) as { choices: { delta: { content?: string } }[] },
    );
    return chunks.map(({ choices: [choice] }) => choice?.delta.content ?? "").join("");
  };
  const text = await read();
  expect(text).not.toBe("");
  await removeLog((await jobs())[0] ?? "");
  expect(await read()).toBe(text);
});

test("the same key for another call is refused in the surface's own shape", async () => {
  const headers = { "idempotency-key": "other" };
  expect((await post(api, "/v1/chat/completions", body, headers)).status).toBe(200);
  const openai = await post(api, "/v1/chat/completions", { ...body, seed: 9 }, headers);
  expect([openai.status, openai.body]).toMatchObject([422, { error: { code: "idempotency_mismatch" } }]);
  const ollama = await post(api, "/api/generate", { model, prompt: "x" }, headers);
  expect([ollama.status, Object.keys(ollama.body)]).toEqual([422, ["error"]]);
});

test("without a key who hangs up cancels the job; with one it goes on", async () => {
  const call = { ...body, max_tokens: 150 };
  const stateAfterHangingUp = async (headers: Record<string, string>) => {
    const before = (await jobs())[0];
    const leaving = new AbortController();
    const answer = fetch(`${api}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(call),
      signal: leaving.signal,
    });
    answer.catch(() => undefined);
    const id = await waitFor(
      async () => {
        const [newest] = await jobs();
        return newest !== before ? newest : undefined;
      },
      { what: "the job is there" },
    );
    leaving.abort();
    return (await ended(api, id)).state;
  };
  expect(await stateAfterHangingUp({})).toBe("cancelled");
  expect(await stateAfterHangingUp({ "idempotency-key": "stays" })).toBe("completed");
});
