import { listJobs, removeJob } from "@forebay/queue-bullmq";
import { affinityOf } from "@forebay/queue-contracts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Api, type ApiFixture, completes, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
let replica: Api;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"), { OLLAMA_DEFAULT_MODEL: model });
  replica = await api.startReplica();
});
afterAll(() => api[Symbol.asyncDispose]());

const once = (key: string, fields: Record<string, unknown> = {}, at: Api = api) =>
  at.submit(fields, { "idempotency-key": key });
const jobsOf = async (tenant: string): Promise<string[]> => {
  const page = await listJobs(api.space, api.directory, { tenant, limit: 1_000, matches: () => true });
  return page.jobs.map((job) => job.id);
};

test("the same key and body answer with the same job, and say so", async () => {
  const first = await once("a");
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  const second = await once("a");
  expect(second.status).toBe(202);
  expect(second.body.job_id).toBe(first.body.job_id);
  expect(second.headers.get("idempotency-replayed")).toBe("true");
});

test("the order of keys and the place of the idempotency key do not make another body", async () => {
  const first = await api.call("POST", "/jobs", {
    body: `{"model":"${model}","prompt":"hi","options":{"seed":1,"top_k":2.0},"idempotency_key":"order"}`,
  });
  const second = await api.call("POST", "/jobs", {
    body: `{ "options": {"top_k":2, "seed":1}, "prompt":"hi", "model":"${model}" }`,
    headers: { "idempotency-key": '"order"' },
  });
  expect(second.body.job_id).toBe(first.body.job_id);
});

test("bare and quoted are the same key, and the header wins over the field", async () => {
  const first = await once('"b c"');
  expect((await once("b c")).body.job_id).toBe(first.body.job_id);
  const won = await once("b c", { idempotency_key: "other" });
  expect(won.body.job_id).toBe(first.body.job_id);
});

test("the same key with another body is 422 and makes nothing", async () => {
  const first = await once("c");
  const before = await jobsOf("default");
  const other = await once("c", { prompt: "Something else" });
  expect(other).toMatchObject({
    status: 422,
    body: { code: "idempotency_mismatch", job_id: first.body.job_id },
  });
  expect(await jobsOf("default")).toEqual(before);
});

test.each([
  ["empty", '""'],
  ["too long", "k".repeat(256)],
  ["with a broken quote", '"abc'],
  ["with a control character", '"a\tb"'],
  ["not ASCII", "schlüssel"],
])("a key that is %s is 400", async (_, key) => {
  expect(await once(key)).toMatchObject({ status: 400, body: { code: "invalid_idempotency_key" } });
});

test("keys of one tenant mean nothing to another", async () => {
  await using other = await createApiFixture(inject("redisUrl"));
  const acme = await other.withKey({ tenant: "acme" });
  const umbrella = await other.withKey({ tenant: "umbrella" });
  const first = await other.submit({}, { ...acme, "idempotency-key": "k" });
  const second = await other.submit({ prompt: "Else" }, { ...umbrella, "idempotency-key": "k" });
  expect(second.status).toBe(202);
  expect(second.body.job_id).not.toBe(first.body.job_id);
});

test("50 at once on two replicas make one job", async () => {
  const before = await jobsOf("default");
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => once("race", {}, i % 2 === 0 ? api : replica)),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
  expect(new Set(answers.map((answer) => answer.body.job_id)).size).toBe(1);
  const first = answers.filter((answer) => answer.headers.get("idempotency-replayed") === null);
  expect(first).toHaveLength(1);
  expect(await jobsOf("default")).toHaveLength(before.length + 1);
});

test("50 at once with two bodies make one job of one of them", async () => {
  const before = await jobsOf("default");
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => once("duel", { prompt: i % 2 === 0 ? "one" : "two" }, replica)),
  );
  const statuses = answers.map((answer) => answer.status);
  expect(new Set(statuses)).toEqual(new Set([202, 422]));
  expect(await jobsOf("default")).toHaveLength(before.length + 1);
});

test("a repeated request shows how far its job has come", async () => {
  const { body } = await once("done", { options: { num_ctx: 4_096 } });
  await using other = await createApiFixture(inject("redisUrl"));
  const first = await once("done", {}, other);
  await other.consume(() => completes("An answer."));
  await expect
    .poll(async () => (await once("done", {}, other)).body.state, { timeout: 5_000 })
    .toBe("completed");
  const again = await once("done", {}, other);
  expect(again.body.job_id).toBe(first.body.job_id);
  expect(again.body["result"]).toMatchObject({ response: "An answer." });
  expect(body.state).toBe("waiting");
});

test("a deleted job does not come back to life", async () => {
  const { body } = await once("gone");
  expect((await api.call("DELETE", `/jobs/${body.job_id}`)).status).toBe(204);
  expect(await once("gone")).toMatchObject({ status: 410, body: { code: "job_gone", job_id: body.job_id } });
  expect((await api.call("GET", `/jobs/${body.job_id}`)).status).toBe(404);
});

test("a job that aged out does not come back to life either", async () => {
  const { body } = await once("aged");
  const record = { id: body.job_id, queueName: "", tenant: "default" };
  const queueName = await api.directory.ensure(affinityOf({ model }));
  expect(await removeJob(api.space, { ...record, queueName })).toBe(true);
  expect((await once("aged", {}, replica)).status).toBe(410);
});

test("a request refused for want of room may be repeated with its key, and then makes its job", async () => {
  await using small = await createApiFixture(inject("redisUrl"));
  const key = await small.withKey({ limits: { jobs_open_max: 1 } });
  const first = await small.submit({}, key);
  const repeated = () => small.submit({ prompt: "next" }, { ...key, "idempotency-key": "next" });
  expect((await repeated()).status).toBe(429);
  expect((await small.call("DELETE", `/jobs/${first.body.job_id}`, { headers: key })).status).toBe(204);
  const made = await repeated();
  expect(made.status).toBe(202);
  expect(made.headers.get("idempotency-replayed")).toBeNull();
  expect((await repeated()).body.job_id).toBe(made.body.job_id);
});

test("a repeated request gets its job though its model is gone", async () => {
  await using other = await createApiFixture(inject("redisUrl"));
  const first = await once("model gone", {}, other);
  await other.announce(["qwen3:8b"]);
  await expect.poll(async () => (await other.submit()).status, { timeout: 5_000 }).toBe(422);
  expect((await once("model gone", {}, other)).body.job_id).toBe(first.body.job_id);
});
