import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { waitFor } from "@forebay/test-harness";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

/** What the proxy in front of the API does with a call, in order; then it lets them pass. */
type Mishap = "cut" | "504" | "503 before";

let live: LiveStack;
let api: string;
let proxy: Server;
let proxied: string;
let mishaps: Mishap[] = [];
/** After so long a call is cut off. */
const cutMs = 300;

beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 100 });
  const [first] = await Promise.all([
    live.startApi({ API_SDK_RETRY_GRACE_S: "3" }),
    live.startWorker({ WORKER_CONCURRENCY: "2" }),
  ]);
  api = first.url;
  await ended(api, await submit(api));
  proxy = createServer((incoming, outgoing) => {
    const mishap = incoming.method === "POST" ? mishaps.shift() : undefined;
    if (mishap === "503 before") return void outgoing.writeHead(503).end();
    const { method, headers, url: path } = incoming;
    const upstream = httpRequest(api + (path ?? ""), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
    if (mishap === undefined) return;
    setTimeout(() => {
      upstream.removeAllListeners("response");
      if (mishap === "504") outgoing.writeHead(504).end();
      upstream.destroy();
    }, cutMs);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  proxied = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await live[Symbol.asyncDispose]();
});

let before: string[] = [];
const allJobs = async () => (await get(api, "/jobs?limit=100")).body.jobs;
const newJobs = async () => (await allJobs()).filter(({ job_id }) => !before.includes(job_id));
beforeEach(async () => {
  before = (await allJobs()).map(({ job_id }) => job_id);
});
afterEach(() => {
  mishaps = [];
});

const client = () => new OpenAI({ baseURL: `${proxied}/v1`, apiKey: "none" });
/** 1 s of work at least. */
const call = { model, messages: [{ role: "user" as const, content: "Say hello" }], max_tokens: 100, seed: 1 };

test.each<[string, Mishap[]]>([
  ["cut off", ["cut"]],
  ["answered 504 by a proxy", ["504"]],
  ["cut off twice", ["cut", "cut"]],
])("a call that is %s and made again by the SDK is one job", async (_, planned) => {
  mishaps = planned;
  const { data, response } = await client().chat.completions.create(call).withResponse();
  expect(data.usage?.completion_tokens).toBe(100);
  expect(response.headers.get("idempotency-replayed")).toBe("true");
  const jobs = await newJobs();
  expect(jobs.map(({ state }) => state)).toEqual(["completed"]);
});

test("a stream that was cut off before its first word, too", async () => {
  const blocking = await Promise.all(
    [1, 2].map(() => submit(api, { options: { num_predict: 150, seed: 1 } })),
  );
  mishaps = ["cut"];
  const stream = await client().chat.completions.create({ ...call, max_tokens: 10, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  const others = (await newJobs()).filter(({ job_id }) => !blocking.includes(job_id));
  expect(others).toHaveLength(1);
  expect((await ended(api, others[0]?.job_id ?? "")).result?.message["content"]).toBe(text);
});

test("equal calls at the same time stay as many jobs, whichever of them are cut off or refused", async () => {
  mishaps = ["cut", "503 before", "cut"];
  const answers = await Promise.all([1, 2, 3, 4].map(() => client().chat.completions.create(call)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(4);
  const jobs = await newJobs();
  expect(jobs.map(({ state }) => state)).toEqual(["completed", "completed", "completed", "completed"]);
}, 30_000);

test("who does not come back for it has the job cancelled after a moment", async () => {
  const leaving = new AbortController();
  const answer = client().chat.completions.create({ ...call, max_tokens: 2_000 }, { signal: leaving.signal });
  const gone = expect(answer).rejects.toThrow();
  const [job] = await waitFor(
    async () => {
      const jobs = await newJobs();
      return jobs[0]?.state === "active" ? jobs : undefined;
    },
    { what: "the job runs" },
  );
  leaving.abort();
  await gone;
  expect((await ended(api, job?.job_id ?? "")).state).toBe("cancelled");
});

test("an SDK's first try never takes what another call left behind", async () => {
  mishaps = ["cut"];
  const impatient = new OpenAI({ baseURL: `${proxied}/v1`, apiKey: "none", maxRetries: 0 });
  await expect(impatient.chat.completions.create(call)).rejects.toThrow();
  await impatient.chat.completions.create(call);
  expect(await newJobs()).toHaveLength(2);
});
