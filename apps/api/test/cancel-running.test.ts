import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ServiceProcess, waitFor } from "@forebay/test-harness";
import {
  createLiveStack,
  ended,
  followToEnd,
  get,
  lastView,
  type LiveStack,
  post,
  submit,
} from "./live-fixture.ts";

const endless = { options: { num_predict: 20_000, seed: 1 } };

let live: LiveStack;
let api: string;
let replica: string;
let second: ServiceProcess;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 100 });
  const [first, another] = await Promise.all([
    live.startApi(),
    live.startApi(),
    live.startWorker({ WORKER_CONCURRENCY: "2", WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" }),
  ]);
  api = first.url;
  second = another;
  replica = another.url;
});
afterAll(() => live[Symbol.asyncDispose]());

const running = () => waitFor(() => live.simulator.stats().active > 0, { what: "a call has begun" });
const idle = () => waitFor(() => live.simulator.stats().active === 0, { what: "the slots are free" });

test("a running job is stopped from any replica, and its slot is free", async () => {
  const id = await submit(api, endless);
  await running();
  const { status } = await post(replica, `/jobs/${id}/cancel`);
  expect(status).toBe(202);
  const job = await ended(api, id);
  expect(job).toMatchObject({ state: "cancelled", error: { code: "cancelled" }, result: null });
  await idle();
  expect((await post(api, `/jobs/${id}/cancel`)).body.code).toBe("already_finished");
});

test("running and waiting jobs that match a filter are all stopped, and the log says who did that", async () => {
  const metadata = { batch: "stop" };
  const ids = await Promise.all(Array.from({ length: 5 }, () => submit(api, { ...endless, metadata })));
  const other = await submit(api, { ...endless, prompt: "another" });
  await running();
  const { body } = await post(replica, "/jobs/cancel", { filter: { metadata } });
  expect(body).toMatchObject({ matched: 5, more: false });
  for (const id of ids) expect(await ended(api, id)).toMatchObject({ state: "cancelled" });
  expect((await get(api, `/jobs/${other}`)).body.finished_at).toBeNull();
  const line = /"filter":\{"metadata":\{"batch":"stop"\}\},"matched":5.*jobs cancelled by filter/;
  await waitFor(() => line.test(second.output()), { what: "it is logged" });
  await post(api, `/jobs/${other}/cancel`);
  await idle();
});

test("a job is stopped while its model still loads and nothing has come yet", async () => {
  live.simulator.setFault({ kind: "hang", match_prompt: "silent" });
  const id = await submit(api, { ...endless, prompt: "silent" });
  await running();
  await post(api, `/jobs/${id}/cancel`);
  expect((await ended(api, id)).state).toBe("cancelled");
  await idle();
});

test("cancel against completion: one end each, and view and stream agree on it", async () => {
  const states = new Map<string, number>();
  for (let round = 0; round < 20; round++) {
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, i) => submit(api, { options: { num_predict: 1 + (i % 4), seed: i } })),
    );
    const streams = ids.map((id) => followToEnd(replica, id));
    await Promise.all(ids.map((id) => post(api, `/jobs/${id}/cancel`)));
    const all = await Promise.all(streams);
    for (const [index, events] of all.entries()) {
      const { body } = await get(api, `/jobs/${ids[index]}`);
      expect(events.filter(({ data }) => "job_id" in data)).toHaveLength(1);
      expect(lastView(events)).toEqual(body);
      expect(body.result === null).toBe(body.state === "cancelled");
      states.set(body.state, (states.get(body.state) ?? 0) + 1);
    }
  }
  expect([...states.keys()].filter((state) => state !== "cancelled" && state !== "completed")).toEqual([]);
}, 90_000);

test("the wish to cancel outlives the worker that should have heard it", async () => {
  await using own = await createLiveStack(inject("redisUrl"), { tokensPerS: 100 });
  const { url } = await own.startApi();
  const quick = { WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" };
  const worker = await own.startWorker(quick);
  const id = await submit(url, endless);
  await waitFor(() => own.simulator.stats().active > 0, { what: "the call has begun" });
  await worker.kill("SIGSTOP");
  expect((await post(url, `/jobs/${id}/cancel`)).status).toBe(202);
  await worker.kill("SIGKILL");
  await own.startWorker(quick);
  expect(await ended(url, id)).toMatchObject({ state: "cancelled" });
  expect(own.simulator.stats().requests).toBe(1);
});

test("with every worker dead somebody still ends the job", async () => {
  await using own = await createLiveStack(inject("redisUrl"), { tokensPerS: 100 });
  const { url } = await own.startApi();
  const worker = await own.startWorker({ WORKER_LOCK_MS: "1000", WORKER_STALLED_CHECK_MS: "500" });
  const id = await submit(url, endless);
  await waitFor(() => own.simulator.stats().active > 0, { what: "the call has begun" });
  await worker.kill("SIGKILL");
  expect((await post(url, `/jobs/${id}/cancel`)).status).toBe(202);
  await own.startTimekeeper();
  expect(await ended(url, id)).toMatchObject({ state: "cancelled" });
});
