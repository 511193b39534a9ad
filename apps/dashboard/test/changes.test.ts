import { createQueueDirectory, readJob } from "@forebay/queue-bullmq";
import { deadLetterQueueName } from "@forebay/queue-contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BoardFixture, startBoard } from "./board-fixture.ts";
import { answerOf, type PutJob, putJob, runJobs } from "./put-job.ts";
import type { Visitor } from "./visitor.ts";

let board: BoardFixture;
let admin: Visitor;
beforeAll(async () => {
  board = await startBoard({ DASHBOARD_READ_ONLY: "false" });
  admin = await board.loggedIn("admin");
});
afterAll(() => board[Symbol.asyncDispose]());

const pathTo = (job: PutJob): string => `/api/queues/${encodeURIComponent(job.title)}/${job.id}`;
const read = (job: PutJob) => readJob(board.space, createQueueDirectory(board.space), job.id);

async function failedJob(model: string): Promise<PutJob> {
  const job = await putJob(board.space, { model });
  await runJobs(board.space, job.queueName, 1, () => ({
    kind: "discard",
    failure: { code: "runner_crashed", message: "gone" },
  }));
  // The board learns of the queue from the news that it joined the directory.
  await expect.poll(async () => (await admin.get(pathTo(job))).status).toBe(200);
  return job;
}

describe("a board that may change things", () => {
  it("lets an admin put a failed job back, with fresh attempts", async () => {
    const job = await failedJob("retry:1b");
    expect((await admin.put(`${pathTo(job)}/retry`)).status).toBe(204);
    expect(await read(job)).toMatchObject({ state: "waiting", attemptsMade: 0, failure: undefined });
    await runJobs(board.space, job.queueName, 1, () => ({ kind: "completed", result: answerOf("here") }));
    expect(await read(job)).toMatchObject({ state: "completed" });
  });

  it("lets an admin put all failed jobs of a queue back", async () => {
    const job = await failedJob("retry-all:1b");
    const answer = await admin.put(`/api/queues/${encodeURIComponent(job.title)}/retry/failed`);
    expect(answer.json()).toEqual({ retried: 1, skipped: 0 });
    expect(await read(job)).toMatchObject({ state: "waiting" });
  });

  it("lets an admin erase a job", async () => {
    const job = await failedJob("erase:1b");
    expect((await admin.put(`${pathTo(job)}/clean`)).status).toBe(204);
    expect(await read(job)).toBeUndefined();
  });

  it("lets an admin erase all failed jobs that are some seconds old", async () => {
    const [old, fresh] = [await failedJob("erase-all:1b"), await failedJob("erase-all:1b")];
    const { client, jobKey, queue } = board.space;
    const then = Date.now() - 10_000;
    await client.zadd(queue(old.queueName).toKey("failed"), then, old.id);
    await client.hset(jobKey(old.queueName, old.id), "finishedOn", then);
    await admin.put(`/api/queues/${encodeURIComponent(old.title)}/clean/failed`);
    expect(await read(old)).toBeUndefined();
    expect(await read(fresh)).toMatchObject({ state: "failed" });
  });

  it("lets an admin pause a queue and resume it", async () => {
    const job = await failedJob("pause:1b");
    const queue = `/api/queues/${encodeURIComponent(job.title)}`;
    expect((await admin.put(`${queue}/pause`)).status).toBe(200);
    expect(await board.space.queue(job.queueName).isPaused()).toBe(true);
    expect((await admin.put(`${queue}/resume`)).status).toBe(200);
    expect(await board.space.queue(job.queueName).isPaused()).toBe(false);
  });

  it("puts a new job the way the API does, and refuses what is no job of the queue", async () => {
    const { title } = await failedJob("add:1b");
    const add = (model: string) => ({
      name: "infer",
      options: {},
      data: { v: 1, type: "generate", tenant: "acme", model, request: { prompt: "hello" } },
    });
    const send = (body: object) =>
      admin.send("POST", `/api/queues/${encodeURIComponent(title)}/add`, {
        headers: {
          "sec-fetch-site": "same-origin",
          "content-type": "application/json",
          "x-xsrf-token": admin.cookies.get("XSRF-TOKEN") ?? "",
        },
        body: JSON.stringify(body),
      });
    const made = (await send(add("add:1b"))).json() as { job: { id: string } };
    expect(await read({ id: made.job.id, queueName: "", title })).toMatchObject({ state: "waiting" });
    expect((await send(add("other:1b"))).text).toContain("belong to another queue");
    expect((await send({ ...add("add:1b"), data: { prompt: "hello" } })).text).toContain("This is no job");
  });

  it("leaves priorities to the scheduler", async () => {
    const job = await failedJob("priority:1b");
    const answer = await admin.send("PATCH", `${pathTo(job)}/priority`, {
      headers: {
        "sec-fetch-site": "same-origin",
        "content-type": "application/json",
        "x-xsrf-token": admin.cookies.get("XSRF-TOKEN") ?? "",
      },
      body: JSON.stringify({ priority: 1 }),
    });
    expect(answer).toMatchObject({ status: 500, text: expect.stringContaining("choose a lane") });
  });

  it("never changes dead letters, which only dlq-handler writes", async () => {
    const queue = board.space.queue(deadLetterQueueName);
    await queue.add("dead-letter", { anything: true }, { jobId: "a-dead-letter" });
    for (const path of ["pause", "empty", "a-dead-letter/clean", "a-dead-letter/promote"]) {
      expect((await admin.put(`/api/queues/Dead%20letters/${path}`)).status).toBe(405);
    }
    expect(await queue.getJobCountByTypes("waiting")).toBe(1);
    expect((await admin.put("/api/queues/pause")).status).toBe(200);
    expect(await queue.isPaused()).toBe(false);
  });
});

describe("nobody else changes anything", () => {
  it("an operator is refused, and is shown a board without buttons for it", async () => {
    const job = await failedJob("operator:1b");
    const operator = await board.loggedIn("operator");
    expect(await operator.put(`${pathTo(job)}/retry`)).toMatchObject({ status: 403 });
    expect(await operator.put("/api/queues/pause")).toMatchObject({ status: 403 });
    expect(await read(job)).toMatchObject({ state: "failed" });
    const { queues } = (await operator.get("/api/queues")).json() as { queues: object[] };
    for (const queue of queues) expect(queue).toMatchObject({ readOnlyMode: true, allowRetries: false });
  });

  it.each([
    ["another site", { "sec-fetch-site": "cross-site" }, true],
    ["a neighbour of the same site", { "sec-fetch-site": "same-site" }, true],
    ["another origin", { origin: "http://evil.example" }, true],
    ["who does not say from where", {}, true],
    ["our own origin, without the session's token", { "sec-fetch-site": "same-origin" }, false],
  ])("a request from %s is refused", async (_, headers: Record<string, string>, withToken) => {
    const token = withToken ? (admin.cookies.get("XSRF-TOKEN") ?? "") : "guessed";
    const answer = await admin.send("PUT", "/api/queues/pause", {
      headers: { "x-xsrf-token": token, ...headers },
    });
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("forged_request") });
  });

  it("the token of another session is refused", async () => {
    const other = await board.loggedIn("admin");
    admin.cookies.set("XSRF-TOKEN", other.cookies.get("XSRF-TOKEN") ?? "");
    expect((await admin.put("/api/queues/pause")).status).toBe(403);
  });
});

it("a board that is read-only, as it is by default, refuses an admin too", async () => {
  await using plain = await startBoard();
  const job = await putJob(plain.space);
  const somebody = await plain.loggedIn("admin");
  await expect.poll(async () => (await somebody.get(pathTo(job))).status).toBe(200);
  for (const path of [`${pathTo(job)}/clean`, "/api/queues/pause", `/api/queues/${job.title}/obliterate`]) {
    expect((await somebody.put(path)).status).toBe(405);
  }
  expect((await somebody.get(pathTo(job))).json()).toMatchObject({ status: "prioritized" });
});
