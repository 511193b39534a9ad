import { Ollama } from "ollama";
import OpenAI from "openai";
import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, submit } from "./live-fixture.ts";

const other = "llama3.1:8b";
let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), {
    models: [model, other],
    maxLoaded: 1,
    loadMs: 1_500,
    tokensPerS: 50,
  });
  const [first] = await Promise.all([live.startApi({ API_SDK_RETRY_GRACE_S: "0.2" }), live.startWorker()]);
  api = first.url;
  await ended(api, await submit(api, { options: { num_predict: 1 } }));
});
afterAll(() => live[Symbol.asyncDispose]());

const messages = [{ role: "user" as const, content: "Talk" }];
type Client = (model: string, signal: AbortSignal) => Promise<unknown>;
const clients: [string, Client][] = [
  [
    "openai",
    (named, signal) =>
      new OpenAI({ baseURL: `${api}/v1`, apiKey: "none" }).chat.completions.create(
        { model: named, messages, max_tokens: 5_000 },
        { signal },
      ),
  ],
  [
    "openai, streaming",
    async (named, signal) => {
      const client = new OpenAI({ baseURL: `${api}/v1`, apiKey: "none" });
      const call = { model: named, messages, max_tokens: 5_000, stream: true as const };
      for await (const _ of await client.chat.completions.create(call, { signal }));
    },
  ],
  [
    "ollama",
    async (named, signal) => {
      // Its own abort() knows only calls that have begun to answer.
      const client = new Ollama({ host: api, fetch: (url, init) => fetch(url, { ...init, signal }) });
      const stream = await client.chat({
        model: named,
        messages,
        stream: true,
        options: { num_predict: 5_000 },
      });
      for await (const _ of stream);
    },
  ],
];

const newest = async () => (await get(api, "/jobs?limit=1")).body.jobs[0];

/** Makes the call, aborts it once the simulator or the job says so, and returns how its job ended. */
async function abortWhen(
  client: Client,
  named: string,
  when: () => Promise<boolean>,
): Promise<string | undefined> {
  const before = (await newest())?.job_id;
  const leaving = new AbortController();
  const call = client(named, leaving.signal).catch(() => undefined);
  const id = await waitFor(
    async () => {
      const job = await newest();
      return job && job.job_id !== before && (await when()) ? job.job_id : undefined;
    },
    { what: "the call is where it is to be aborted" },
  );
  leaving.abort();
  await call;
  return (await ended(api, id)).state;
}

const slotFree = () =>
  waitFor(async () => (live.simulator.stats().active === 0 ? true : undefined), { what: "the slot is free" });

test.each(clients)("%s, aborted while its job waits: it never reaches a GPU", async (_, client) => {
  const blocking = await submit(api, { options: { num_predict: 5_000 } });
  await waitFor(async () => (live.simulator.stats().active === 1 ? true : undefined), {
    what: "the slot is taken",
  });
  const calls = live.simulator.requests().length;
  expect(await abortWhen(client, model, async () => (await newest())?.state === "waiting")).toBe("cancelled");
  expect(live.simulator.requests()).toHaveLength(calls);
  await fetch(`${api}/jobs/${blocking}/cancel`, { method: "POST" });
  await slotFree();
});

test.each(clients)(
  "%s, aborted while its model loads: the job ends, and the host is free",
  async (_, client) => {
    const named = live.simulator.requests().at(-1)?.model === model ? other : model;
    const calls = live.simulator.requests().length;
    expect(await abortWhen(client, named, async () => live.simulator.requests().length > calls)).toBe(
      "cancelled",
    );
    await slotFree();
  },
);

test.each(clients)(
  "%s, aborted while its model writes: the job ends, and the slot is free",
  async (_, client) => {
    const tokens = live.simulator.stats().tokens;
    expect(await abortWhen(client, model, async () => live.simulator.stats().tokens > tokens + 3)).toBe(
      "cancelled",
    );
    await slotFree();
  },
);
