import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, completes, createApiFixture, discards } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
});
afterAll(() => api[Symbol.asyncDispose]());

const act = (id: string, action: "cancel" | "retry") => api.call("POST", `/jobs/${id}/${action}`);
const see = async (id: string) => (await api.call("GET", `/jobs/${id}`)).body;
const reach = (id: string, state: string) =>
  expect.poll(async () => (await see(id)).state, { timeout: 10_000 }).toBe(state);

test("a waiting job is cancelled at once, and only once", async () => {
  const { body } = await api.submit();
  const first = await act(body.job_id, "cancel");
  expect(first).toMatchObject({ status: 202, body: { state: "cancelled", error: { code: "cancelled" } } });
  expect(await act(body.job_id, "cancel")).toMatchObject({ status: 409, body: { code: "already_finished" } });
});

test("of many who cancel at once one is told so, and the job ends once", async () => {
  const { body } = await api.submit();
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await act(body.job_id, "cancel")).status),
  );
  expect(statuses.filter((status) => status === 202).length).toBeGreaterThanOrEqual(1);
  expect(new Set(statuses)).toEqual(new Set([202, 409]));
  const timeline = (await see(body.job_id))["timeline"] as { state: string }[];
  expect(timeline.map(({ state }) => state)).toEqual(["waiting", "cancelled"]);
});

test("a cancelled job can be retried: the same id waits again, and can complete", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body } = await own.submit();
  await own.call("POST", `/jobs/${body.job_id}/cancel`);
  const again = await own.call("POST", `/jobs/${body.job_id}/retry`);
  expect(again).toMatchObject({
    status: 202,
    body: { job_id: body.job_id, state: "waiting", attempts_made: 0, error: null },
  });
  await own.consume(() => completes());
  await expect
    .poll(async () => (await own.call("GET", `/jobs/${body.job_id}`)).body.state, { timeout: 10_000 })
    .toBe("completed");
  const late = await own.call("POST", `/jobs/${body.job_id}/retry`);
  expect(late).toMatchObject({ status: 409, body: { code: "not_retryable" } });
});

test("a failed job can be retried with fresh attempts, its history kept", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body: job } = await own.submit({ attempts: 1 });
  let tries = 0;
  await own.consume(() => (++tries === 1 ? discards() : completes()));
  const state = async () => (await own.call("GET", `/jobs/${job.job_id}`)).body.state;
  await expect.poll(state, { timeout: 10_000 }).toBe("failed");
  expect((await own.call("POST", `/jobs/${job.job_id}/retry`)).status).toBe(202);
  await expect.poll(state, { timeout: 10_000 }).toBe("completed");
  const view = (await own.call("GET", `/jobs/${job.job_id}`)).body;
  const states = (view["timeline"] as { state: string }[]).map((entry) => entry.state);
  expect(states).toEqual(["waiting", "active", "failed", "active", "completed"]);
});

test("an open job cannot be retried", async () => {
  const { body } = await api.submit();
  expect(await act(body.job_id, "retry")).toMatchObject({ status: 409, body: { code: "not_retryable" } });
});

test("a deleted job is gone, and nothing of it stays in Redis", async () => {
  const { body } = await api.submit({ metadata: { secret: "s3cret-word" } });
  expect(await api.call("DELETE", `/jobs/${body.job_id}`)).toMatchObject({ status: 204, text: "" });
  expect((await api.call("GET", `/jobs/${body.job_id}`)).status).toBe(404);
  expect((await api.call("DELETE", `/jobs/${body.job_id}`)).status).toBe(404);
  expect((await api.call("GET", "/jobs")).text).not.toContain(body.job_id);
  expect(await api.space.client.keys(`*${body.job_id}*`)).toEqual([]);
});

test("a running job is not deleted under its worker", async () => {
  await using own = await createApiFixture(inject("redisUrl"));
  const { body } = await own.submit();
  const finish = Promise.withResolvers<void>();
  await own.consume(async () => {
    await finish.promise;
    return completes();
  });
  const state = async () => (await own.call("GET", `/jobs/${body.job_id}`)).body.state;
  await expect.poll(state, { timeout: 10_000 }).toBe("active");
  const early = await own.call("DELETE", `/jobs/${body.job_id}`);
  expect(early).toMatchObject({ status: 409, body: { code: "job_active", job_id: body.job_id } });
  finish.resolve();
  await expect.poll(state, { timeout: 10_000 }).toBe("completed");
  expect((await own.call("DELETE", `/jobs/${body.job_id}`)).status).toBe(204);
});

test("actions take no parameters and need no body", async () => {
  const { body } = await api.submit();
  expect((await api.call("POST", `/jobs/${body.job_id}/cancel?force=1`)).status).toBe(400);
  await reach(body.job_id, "waiting");
});
