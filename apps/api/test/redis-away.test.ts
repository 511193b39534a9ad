import { readJob } from "@forebay/queue-bullmq";
import { startRedis, waitFor } from "@forebay/test-harness";
import { expect, test } from "vitest";
import { type Answer, type ApiFixture, createApiFixture } from "./api-fixture.ts";

const key = (name: string) => ({ "idempotency-key": name });

/** What a client does about a 503: the same request again. */
async function submitUntilAccepted(api: ApiFixture, name: string): Promise<string> {
  return waitFor(
    async () => {
      const { status, body } = await api.submit({ prompt: name }, key(name));
      if (status !== 202 && status !== 503) throw new Error(`${status} ${body.code}`);
      return status === 202 ? body.job_id : undefined;
    },
    { what: "the job is accepted", timeoutMs: 20_000 },
  );
}

function expectUnavailable(answer: Answer): void {
  expect(answer).toMatchObject({ status: 503, body: { code: "queue_unavailable" } });
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
}

test("Redis killed while jobs are posted: 503 meanwhile, back by itself, no accepted job lost or doubled", async () => {
  await using redis = await startRedis();
  await using api = await createApiFixture(redis.url);
  const accepted = new Map<string, string>();
  const killed = Promise.withResolvers<void>();
  const refused: Answer[] = [];

  const client = async (number: number): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const name = `${number}-${i}`;
      const answer = await api.submit({ prompt: name }, key(name));
      if (answer.status === 202) accepted.set(name, answer.body.job_id);
      else refused.push(answer);
      if (i === 15) killed.resolve();
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
  await killed.promise;
  await redis.kill("SIGKILL");
  await clients;
  expect(refused.length).toBeGreaterThan(0);
  for (const answer of refused) expectUnavailable(answer);
  expectUnavailable(await api.call("GET", "/jobs"));

  await redis.restart();
  await waitFor(async () => (await api.call("GET", "/jobs")).status === 200, { what: "the API is back" });
  for (const [name, id] of accepted) {
    const job = await readJob(api.space, api.directory, id);
    expect(job?.job?.request, `job of ${name}`).toMatchObject({ prompt: name });
  }
  for (let number = 0; number < 8; number++) {
    for (let i = 0; i < 40; i++) await submitUntilAccepted(api, `${number}-${i}`);
  }
  const names = new Set<string>();
  let cursor: string | null = "";
  let count = 0;
  while (cursor !== null) {
    const { body } = await api.call("GET", `/jobs?limit=100${cursor && `&cursor=${cursor}`}`);
    for (const job of body.jobs) names.add(job.job_id);
    count += body.jobs.length;
    cursor = body.next_cursor;
  }
  expect([count, names.size]).toEqual([320, 320]);
});

test("Redis frozen: every kind of request is answered 503 soon, and the write that hung is found by its key", async () => {
  await using redis = await startRedis();
  await using api = await createApiFixture(redis.url);
  const first = await api.submit({}, key("before"));
  await redis.kill("SIGSTOP");
  const answers = await Promise.all([
    api.submit({}, key("during")),
    api.submit(),
    api.call("GET", `/jobs/${first.body.job_id}`),
    api.call("GET", "/jobs"),
    api.call("POST", `/jobs/${first.body.job_id}/cancel`),
    api.call("DELETE", `/jobs/${first.body.job_id}`),
  ]);
  for (const answer of answers) expectUnavailable(answer);
  const ready = await fetch(`${api.opsUrl}/readyz`);
  expect(ready.status).toBe(503);
  expect(Object.keys(((await ready.json()) as { reasons: object }).reasons)).toEqual(["redis"]);

  await redis.kill("SIGCONT");
  const id = await submitUntilAccepted(api, "during it all");
  expect(await submitUntilAccepted(api, "during it all")).toBe(id);
  const during = await waitFor(
    async () => {
      const answer = await api.submit({}, key("during"));
      return answer.status === 202 ? answer.body.job_id : undefined;
    },
    { what: "the hung request is accepted" },
  );
  const again = await api.submit({}, key("during"));
  expect(again.body.job_id).toBe(during);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect((await fetch(`${api.opsUrl}/readyz`)).status).toBe(200);
});

test("a write nobody confirmed names the id that will tell whether it was done", async () => {
  await using redis = await startRedis();
  await using api = await createApiFixture(redis.url);
  // Everything about the model and the tenant is known for a second: the write itself is what hangs.
  await api.submit();
  await redis.kill("SIGSTOP");
  const answer = await api.submit();
  expectUnavailable(answer);
  await redis.kill("SIGCONT");
  const { job_id: id } = answer.body;
  expect(id).toMatch(/^j/);
  await waitFor(async () => (await api.call("GET", `/jobs/${id}`)).body.state === "waiting", {
    what: "the write that hung has been done",
  });
});
