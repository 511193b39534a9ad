import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  answerText,
  createClient,
  type ForebayClient,
  type JobEvent,
  type JobView,
  type GenerateJob,
  type NewJob,
} from "../src/index.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { type LiveForebay, model, startLiveForebay } from "./live-forebay.ts";

let forebay: LiveForebay;
let client: ForebayClient;
beforeAll(async () => {
  forebay = await startLiveForebay(inject("redisUrl"));
  client = createClient({ baseUrl: forebay.url });
});
afterAll(() => forebay[Symbol.asyncDispose]());

const story = (tokens: number, more: Partial<GenerateJob> = {}): NewJob => ({
  model,
  prompt: "Tell me",
  options: { num_predict: tokens, seed: 1 },
  ...more,
});

async function collect(id: string, through: ForebayClient = client): Promise<JobEvent[]> {
  const seen: JobEvent[] = [];
  for await (const event of through.stream(id)) seen.push(event);
  return seen;
}

async function readText(id: string): Promise<{ wholes: string[]; restarts: number; job: JobView }> {
  const pieces = client.streamText(id);
  const wholes: string[] = [];
  let restarts = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return { wholes, restarts, job: value };
    wholes.push(value.whole);
    if (value.restart) restarts++;
  }
}

describe("streams", () => {
  test("the texts of the events are the text of the job", async () => {
    const { job_id } = await client.submit(story(40));
    const seen = await collect(job_id);
    const text = seen.map((event) => (event.event === "token" ? (event.text ?? "") : "")).join("");
    const last = seen.at(-1);
    expect(last).toMatchObject({ event: "completed", seq: seen.length });
    expect(last && "job" in last && answerText(last.job.result)).toBe(text);
    expect(text.length).toBeGreaterThan(20);
  });

  test("a network that breaks fifty times loses nothing and doubles nothing", async () => {
    const { job_id } = await client.submit(story(1_500));
    const undisturbed = await collect(job_id);
    // Headers alone are about 300 bytes: some connections end before an event is through.
    let opened = 0;
    await using proxy = await startCuttingProxy(forebay.url, () =>
      opened++ < 50 ? 250 + ((opened * 397) % 700) : Number.POSITIVE_INFINITY,
    );
    const impatient = createClient({ baseUrl: proxy.url, retries: 50 });
    expect(await collect(job_id, impatient)).toEqual(undisturbed);
    expect(proxy.cuts()).toBe(50);
  });

  test("killing the API in the middle of an answer changes nothing in what is read", async () => {
    const { job_id } = await client.submit(story(600));
    const seen: JobEvent[] = [];
    for await (const event of client.stream(job_id)) {
      seen.push(event);
      if (seen.length === 10) await forebay.restartApi();
    }
    expect(seen).toEqual(await collect(job_id));
    expect(seen.at(-1)?.event).toBe("completed");
  });

  test("streamText ends with the very text of the job, also where it had to begin anew", async () => {
    forebay.simulator.setFault({ kind: "reset", after_tokens: 8, times: 1, match_prompt: "break once" });
    const { job_id } = await client.submit(story(40, { prompt: "break once" }));
    const { wholes, restarts, job } = await readText(job_id);
    expect(restarts).toBe(1);
    expect(wholes.at(-1)).toBe(answerText(job.result));
  });

  test("streamText of a job without a token log gives its answer in one piece", async () => {
    const { job_id } = await client.submit(story(20, { stream: false }));
    const { wholes, job } = await readText(job_id);
    expect(wholes).toEqual([answerText(job.result)]);
  });

  test("streamText of a job that ends without a result throws the reason", async () => {
    const { job_id } = await client.submit(story(4_000));
    const reading = expect(readText(job_id)).rejects.toMatchObject({
      name: "JobFailedError",
      code: "cancelled",
      state: "cancelled",
      job: { job_id },
    });
    await client.cancel(job_id);
    await reading;
  });
});

describe("waits", () => {
  test("a job can be waited for until it ended, over a restart of the API", async () => {
    const { job_id } = await client.submit(story(500));
    const waiting = client.wait(job_id);
    await forebay.restartApi();
    expect(await waiting).toMatchObject({ job_id, state: "completed" });
  });

  test("a wait that is too short gives the job as it is", async () => {
    const { job_id } = await client.submit(story(4_000));
    expect(await client.wait(job_id, { timeoutMs: 300 })).toMatchObject({ job_id, result: null });
    await client.cancel(job_id);
    expect(await client.wait(job_id)).toMatchObject({ state: "cancelled" });
  });

  test("the answer can come with the submission", async () => {
    expect(await client.submit(story(5), { waitMs: 20_000 })).toMatchObject({ state: "completed" });
  });
});

test("the same key gives the same job", async () => {
  const first = await client.submit(story(5), { idempotencyKey: "once" });
  const second = await client.submit(story(5), { idempotencyKey: "once" });
  expect(second.job_id).toBe(first.job_id);
});

test("jobs are listed by what was asked for, without results", async () => {
  const made: string[] = [];
  for (const n of ["1", "2", "3"]) {
    const job = story(3, { metadata: { list: "yes", n }, lane: "batch" });
    made.unshift((await client.submit(job, { waitMs: 20_000 })).job_id);
  }
  const query = { metadata: { list: "yes" }, lane: "batch", model, state: "completed", limit: 2 } as const;
  const page = await client.list(query);
  expect(page.jobs.map((job) => job.job_id)).toEqual(made.slice(0, 2));
  expect(page.jobs[0]).not.toHaveProperty("result");
  const rest = await client.list({ ...query, cursor: page.next_cursor ?? "" });
  expect(rest.jobs.map((job) => job.job_id)).toEqual(made.slice(2));
  expect((await client.list({ createdAfter: "2999-01-01T00:00:00Z" })).jobs).toEqual([]);
});

test("a job is cancelled, put back, and erased", async () => {
  const { job_id } = await client.submit(story(40, { delay_ms: 3_600_000 }));
  expect(await client.cancel(job_id)).toMatchObject({ state: "cancelled" });
  await expect(client.cancel(job_id)).rejects.toMatchObject({ status: 409, code: "already_finished" });
  expect(["waiting", "active"]).toContain((await client.retry(job_id)).state);
  expect((await client.wait(job_id)).state).toBe("completed");
  await client.delete(job_id);
  await expect(client.get(job_id)).rejects.toMatchObject({ status: 404, code: "job_not_found" });
  await expect(client.delete(job_id)).rejects.toMatchObject({ code: "job_not_found" });
});

test("the models are listed with the hosts that have them", async () => {
  const known = (await client.models()).find(({ name }) => name === model);
  expect(known?.backends).toMatchObject([{ up: true, slots: 4 }]);
});
