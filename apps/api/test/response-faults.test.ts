import { createQueueDirectory, logKey, readJob } from "@forebay/queue-bullmq";
import OpenAI from "openai";
import { startRedis, waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, model, post, submit } from "./live-fixture.ts";

type Event = OpenAI.Responses.ResponseStreamEvent;
type Response = OpenAI.Responses.Response;

const quickLocks = { WORKER_LOCK_MS: "3000", WORKER_STALLED_CHECK_MS: "300" };
const story = { model, input: "Tell me", max_output_tokens: 250, background: true as const };

let live: LiveStack;
let api: { url: string };
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { tokensPerS: 150, numParallel: 2 });
  api = await live.startApi({ API_SDK_RETRY_GRACE_S: "0.2" });
  await live.startWorker({ WORKER_CONCURRENCY: "2" });
  await ended(api.url, await submit(api.url, { options: { num_predict: 1 } }));
});
afterAll(() => live[Symbol.asyncDispose]());
const clientOf = ({ url }: { url: string }, timeout = 60_000) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, timeout });

const textOf = (events: readonly Event[]): string =>
  events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : [])).join("");
const responseOf = (event: Event | undefined): Response | undefined =>
  event && "response" in event ? event.response : undefined;

async function collect(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** All events of a response after a number, on one connection. */
async function replay(client: OpenAI, id: string, after?: number): Promise<Event[]> {
  const query = { stream: true as const, ...(after !== undefined && { starting_after: after }) };
  return collect(await client.responses.retrieve(id, query));
}

/** Reads on at one server after the other until the last event, as a careful client does. */
async function readThrough(
  clients: readonly OpenAI[],
  id: string,
  onEvent: (events: readonly Event[]) => void = () => undefined,
): Promise<Event[]> {
  const events: Event[] = [];
  for (let turn = 0; ; turn++) {
    const client = clients[turn % clients.length];
    if (!client) throw new Error("no client");
    try {
      const after = events.at(-1)?.sequence_number;
      const query = { stream: true as const, ...(after !== undefined && { starting_after: after }) };
      for await (const event of await client.responses.retrieve(id, query)) {
        events.push(event);
        onEvent(events);
      }
    } catch (error) {
      // A server that is not there, or goes: the next one.
      if (error instanceof OpenAI.APIError && error.status !== undefined && error.status < 500) throw error;
    }
    if (/\.(completed|incomplete|failed)$/.test(events.at(-1)?.type ?? "")) return events;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Resolves once a reader has so many events. */
function counted() {
  const waiting = new Map<number, () => void>();
  let seen = 0;
  return {
    onEvent(events: readonly Event[]) {
      seen = events.length;
      for (const [count, resolve] of waiting) if (seen >= count) resolve();
    },
    reached: (count: number) =>
      new Promise<void>((resolve) => {
        if (seen >= count) resolve();
        else waiting.set(count, resolve);
      }),
  };
}

async function expectWhole(client: OpenAI, id: string, events: readonly Event[]): Promise<void> {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  const whole = await client.responses.retrieve(id);
  expect(textOf(events)).toBe(whole.output_text);
  expect(responseOf(events.at(-1))?.output).toEqual(whole.output);
  // Whenever and wherever it is read: the same event under the same number.
  for (const after of [undefined, 0, 4, events.length - 2, events.length - 1]) {
    expect(await replay(client, id, after)).toEqual(events.slice((after ?? -1) + 1));
  }
}

describe("a response in the background", () => {
  test("is read on at another replica when its own is killed, at whatever event", async () => {
    const killed = await live.startApi();
    const stream = await clientOf(killed).responses.create({ ...story, stream: true });
    const before: Event[] = [];
    const read = (async () => {
      for await (const event of stream) if (before.push(event) === 20) await killed.kill("SIGKILL");
    })();
    await expect(read).rejects.toThrow();
    const id = responseOf(before[0])?.id ?? "";
    const after = before.at(-1)?.sequence_number ?? -1;
    const rest = await replay(clientOf(api), id, after);
    await expectWhole(clientOf(api), id, [...before, ...rest]);
  });

  test("that has to say something else ends its stream with an error, and is right when retrieved", async () => {
    live.simulator.setFault({ kind: "no_done", after_tokens: 30, times: 1, match_prompt: "Tell me" });
    const { id } = await clientOf(api).responses.create(story);
    const messages: string[] = [];
    const seen: number[] = [];
    const read = async (after?: number) => {
      const query = { stream: true as const, ...(after !== undefined && { starting_after: after }) };
      try {
        for await (const event of await clientOf(api).responses.retrieve(id, query))
          seen.push(event.sequence_number);
      } catch (error) {
        messages.push(String(error));
      }
    };
    await read();
    expect(messages).toEqual([expect.stringContaining("begin anew")]);
    const done = await ended(api.url, id.replace("resp_", ""));
    const whole = await clientOf(api).responses.retrieve(id);
    expect([whole.status, whole.output_text]).toEqual(["incomplete", done.result?.message["content"]]);
    // The error is an event like any other: it has a number, and whoever comes back for it gets it.
    await read(seen.at(-1));
    expect(messages).toHaveLength(2);
    expect(seen).toEqual(seen.map((_, index) => index));
    await read((seen.at(-1) ?? 0) + 1);
    expect(messages).toHaveLength(2);
  });

  test("put back after it had failed goes on in its stream; the number of its failure stays taken", async () => {
    const input = "fail once";
    live.simulator.setFault({ kind: "400", times: 1, match_prompt: input, message: "invalid option" });
    const { id } = await clientOf(api).responses.create({ ...story, input });
    await ended(api.url, id.replace("resp_", ""));
    const failed = await replay(clientOf(api), id);
    const last = failed.at(-1);
    expect(last?.type).toBe("response.failed");
    expect((await post(api.url, `/jobs/${id.replace("resp_", "")}/retry`)).status).toBe(202);
    const rest = await replay(clientOf(api), id, last?.sequence_number);
    expect(rest.at(-1)?.type).toBe("response.incomplete");
    expect(textOf(rest)).toBe((await clientOf(api).responses.retrieve(id)).output_text);
    expect(await replay(clientOf(api), id)).toEqual([...failed.slice(0, -1), ...rest]);
  });

  test("whose events are lost says so to those who had them, and to nobody else", async () => {
    const { id } = await clientOf(api).responses.create({ ...story, max_output_tokens: 5 });
    const jobId = id.replace("resp_", "");
    await ended(api.url, jobId);
    const { output_text: text } = await clientOf(api).responses.retrieve(id);
    const space = await live.openSpace();
    const job = await readJob(space, createQueueDirectory(space), jobId);
    const key = logKey(space.jobKey(job?.queueName ?? "", jobId));
    const add = (seq: number, event: string, data: object, ...follows: string[]) =>
      space.client.xadd(key, `0-${seq}`, "e", event, "d", JSON.stringify(data), ...follows);
    expect(await space.client.del(key)).toBe(1);
    await expect(replay(clientOf(api), id, 2)).rejects.toMatchObject({ status: 410, code: "offset_lost" });
    // As a worker writes on when Redis came back without some entries: readers may have had events 6 and more.
    await add(2, "state", { state: "active", at_ms: 1 });
    await add(3, "token", { text: text.slice(0, 3) });
    await add(9, "restart", { attempt: 1 }, "p", "3");
    await add(10, "token", { text });
    const whole = await replay(clientOf(api), id);
    expect(textOf(whole)).toBe(text);
    expect(await replay(clientOf(api), id, 5)).toEqual(whole.slice(6));
    for (const after of [6, 60, 9_000_000]) {
      await expect(replay(clientOf(api), id, after)).rejects.toMatchObject({ code: "offset_lost" });
    }
    const later = whole[6]?.sequence_number ?? 0;
    expect(later).toBeGreaterThan(9_000_000);
    expect(await replay(clientOf(api), id, later)).toEqual(whole.slice(7));
  });

  test("is told by a server that stops where to go on", async () => {
    const stopped = await live.startApi();
    const stream = await clientOf(stopped).responses.create({ ...story, stream: true });
    const before: Event[] = [];
    const read = (async () => {
      for await (const event of stream) if (before.push(event) === 10) void stopped.stop();
    })();
    await expect(read).rejects.toMatchObject({ code: "stream_interrupted" });
    const id = responseOf(before[0])?.id ?? "";
    const rest = await replay(clientOf(api), id, before.at(-1)?.sequence_number);
    await expectWhole(clientOf(api), id, [...before, ...rest]);
  });
});

describe("a response somebody waits for", () => {
  test("is cancelled when who waits hangs up, streamed or not; in the background it is not", async () => {
    const client = clientOf(api);
    const newest = async () => (await get(api.url, "/jobs?limit=1")).body.jobs[0]?.job_id ?? "";
    const stateAfter = async (call: object, stream: boolean) => {
      const before = await newest();
      const leaving = new AbortController();
      const waiting = client.responses
        .create({ ...story, ...call, stream } as typeof story, { signal: leaving.signal })
        .catch(() => undefined);
      const id = await waitFor(async () => ((await newest()) === before ? undefined : newest()), {
        what: "the job is there",
      });
      if (stream) await waiting;
      leaving.abort();
      await waiting;
      return (await ended(api.url, id)).state;
    };
    expect(await stateAfter({ background: false }, false)).toBe("cancelled");
    expect(await stateAfter({ background: false }, true)).toBe("cancelled");
    expect(await stateAfter({ max_output_tokens: 60 }, true)).toBe("completed");
  });

  test("fails with the status or the event of its failure", async () => {
    live.simulator.setFault({ kind: "400", times: 2, match_prompt: "break", message: "invalid option" });
    const call = { model, input: "break" };
    await expect(clientOf(api).responses.create(call)).rejects.toMatchObject({
      status: 400,
      code: "invalid_request",
    });
    const events = await collect(await clientOf(api).responses.create({ ...call, stream: true }));
    const last = responseOf(events.at(-1));
    expect(last).toMatchObject({ status: "failed", error: { code: "invalid_prompt" } });
    expect(await clientOf(api).responses.retrieve(last?.id ?? "")).toMatchObject({
      status: "failed",
      output: [],
    });
  });
});

test("worker and Redis killed in the middle, the events go on with the same words, for those who come later too", async () => {
  const redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => redis.stop());
  const own = stack.use(await createLiveStack(redis.url, { tokensPerS: 100, numParallel: 2 }));
  const [server, replica, worker] = [
    await own.startApi(),
    await own.startApi(),
    await own.startWorker(quickLocks),
  ];
  await ended(server.url, await submit(server.url, { options: { num_predict: 1 } }));
  const { id } = await clientOf(server).responses.create(story);
  const count = counted();
  const reading = readThrough([clientOf(server), clientOf(replica)], id, count.onEvent);
  await count.reached(15);
  await worker.kill("SIGKILL");
  await own.startWorker(quickLocks);
  await count.reached(40);
  await redis.kill("SIGKILL");
  await redis.restart();
  await expectWhole(clientOf(replica), id, await reading);
  expect(own.simulator.stats().requests).toBe(3);
});
