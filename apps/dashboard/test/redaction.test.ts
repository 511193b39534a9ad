import { deadLetterQueueName, type DeadLetter } from "@forebay/queue-contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BoardFixture, startBoard } from "./board-fixture.ts";
import { answerOf, type PutJob, putJob, runJobs } from "./put-job.ts";
import type { Answer, Visitor } from "./visitor.ts";

// Stands for everything somebody asked, was answered, or that an error repeated of it.
const secret = "xyzzy-secret";
const title = "llama3.2:3b";

let board: BoardFixture;
let jobs: PutJob[];

beforeAll(async () => {
  board = await startBoard();
  const { space } = board;
  const more = { user: secret, metadata: { [secret]: secret } };
  const answered = await putJob(space, { prompt: `answer ${secret}`, ...more });
  const failed = await putJob(space, { prompt: `fail ${secret}`, ...more });
  await runJobs(space, answered.queueName, 2, (payload) =>
    payload.includes("fail")
      ? { kind: "discard", failure: { code: "context_too_long", message: secret } }
      : { kind: "completed", result: answerOf(secret) },
  );
  jobs = [answered, failed, await plantForeignJob(answered), await plantDeadLetter(failed.id)];
  const queue = space.queue(answered.queueName);
  await queue.upsertJobScheduler("nightly", { every: 3_600_000 }, { name: secret, data: { secret } });
});
afterAll(() => board[Symbol.asyncDispose]());

/** What another team's processor might leave behind: nothing in it has the shape of ours. */
async function plantForeignJob(like: PutJob): Promise<PutJob> {
  const { space } = board;
  const queue = space.queue(like.queueName);
  const id = "somebody-elses-job";
  await queue.add(
    secret,
    { prompt: secret },
    { jobId: id, backoff: { type: secret }, deduplication: { id: secret } },
  );
  await Promise.all(["prioritized", "wait"].map((set) => space.client.del(queue.toKey(set))));
  await space.client.zadd(queue.toKey("failed"), Date.now(), id);
  await queue.addJobLog(id, `first ${secret}`);
  await queue.addJobLog(id, secret);
  await space.client.hset(space.jobKey(like.queueName, id), {
    failedReason: `Error: ${secret}`,
    stacktrace: JSON.stringify([`Error: ${secret}\n    at ${secret}`]),
    returnvalue: JSON.stringify({ response: secret }),
    progress: JSON.stringify({ [secret]: secret, tokens: secret }),
    pb: `${secret} ${secret}`,
    defa: secret,
    starts: `{"start":{"at":"${secret}"}}\n`,
    kept: secret,
    finishedOn: String(Date.now()),
  });
  return { ...like, id };
}

async function plantDeadLetter(id: string): Promise<PutJob> {
  const at = new Date().toISOString();
  const letter: DeadLetter = {
    v: 1,
    job_id: id,
    state: "dead",
    queue: secret,
    tenant: `${secret} with a blank`,
    type: secret,
    model: ` ${secret}`,
    lane: secret,
    failure: { code: "poison_job", message: secret },
    stack: [secret],
    attempts: [{ at, worker: `${secret} `, backend: ` ${secret}`, code: "poison_job", message: secret }],
    attempts_made: 1,
    fingerprint: secret,
    worker: secret,
    created_at: at,
    first_failed_at: at,
    last_failed_at: at,
    redrives: 0,
    payload: { prompt: secret },
  };
  await board.space.queue(deadLetterQueueName).add("dead-letter", letter, { jobId: id });
  return { id, queueName: deadLetterQueueName, title: "Dead letters" };
}

const states = ["latest", "active", "waiting", "prioritized", "completed", "failed", "delayed"];

/** Everything there is to read on the board, pages and calls. */
async function readEverything(somebody: Visitor): Promise<Answer[]> {
  const at = (text: string): string => encodeURIComponent(text);
  const queues = [title, "Batches", "Dead letters", "Dead-letter actions", "Schedule ticks"];
  const paths = [
    "/",
    "/metrics-history",
    "/job-schedulers",
    "/api/redis/stats",
    "/api/queues",
    "/api/job-schedulers",
    ...queues.flatMap((queue) => [
      `/queue/${at(queue)}`,
      ...states.map((state) => `/api/queues?activeQueue=${at(queue)}&status=${state}&jobsPerPage=50`),
      ...["metrics", "default-job-options", "workers", "rate-limit", "job-data-schema"].map(
        (part) => `/api/queues/${at(queue)}/${part}`,
      ),
    ]),
    ...jobs.flatMap((job) => [
      `/queue/${at(job.title)}/${job.id}`,
      ...["", "/logs", "/flow", "/flow?root=node"].map(
        (part) => `/api/queues/${at(job.title)}/${job.id}${part}`,
      ),
    ]),
    `/api/queues/${at(title)}/no-such-job`,
    `/api/queues/no-such-queue/${secret.length}`,
  ];
  return Promise.all(paths.map((path) => somebody.get(path)));
}

describe("an operator", () => {
  it("meets no prompt, answer, log, error text or metadata on any page or call", async () => {
    const answers = await readEverything(await board.loggedIn("operator"));
    expect(answers.map((answer) => answer.status).filter((status) => status >= 500)).toEqual([]);
    for (const answer of answers) expect(answer.text + JSON.stringify(answer.headers)).not.toContain(secret);
  });

  it("sees for whom and how a job ran, and what kind of failure ended it", async () => {
    const somebody = await board.loggedIn("operator");
    const [answered, failed, foreign, letter] = jobs.map((job) =>
      somebody.get(`/api/queues/${encodeURIComponent(job.title)}/${job.id}`),
    );
    expect((await answered)?.json()).toMatchObject({
      status: "completed",
      job: {
        name: "generate · acme · standard",
        progress: { tokens: 7 },
        data: { type: "generate", tenant: "acme", lane: "standard", model: title },
        returnValue: { backend: "gpu-1", done_reason: "stop", usage: { completion_tokens: 4 } },
      },
    });
    expect((await failed)?.json()).toMatchObject({
      status: "failed",
      job: { isFailed: true, failedReason: expect.stringMatching(/^context_too_long: The prompt/) },
    });
    expect((await foreign)?.json()).toMatchObject({ job: { name: "payload of no known kind" } });
    expect((await letter)?.json()).toMatchObject({
      job: { name: "poison_job · dead", data: { failure: { code: "poison_job" }, attempts_made: 1 } },
    });
  });

  it("sees how many log lines there are", async () => {
    const somebody = await board.loggedIn("operator");
    const logs = await somebody.get(`/api/queues/${encodeURIComponent(title)}/somebody-elses-job/logs`);
    expect(logs.json()).toEqual(["2 line(s), shown to admins only"]);
  });

  it("gets nothing from a call that is not known to be free of prompts", async () => {
    const somebody = await board.loggedIn("operator");
    for (const path of [
      "/api",
      "/api/",
      "/api/queues/a/b/c",
      "/api/metrics/history",
      "/api/queues/../queues/x/y/z",
    ]) {
      expect((await somebody.get(path)).status).toBe(403);
    }
  });
});

it("an admin sees the prompt, the answer, the logs and the error", async () => {
  const somebody = await board.loggedIn("admin");
  const read = async (job: number, part = ""): Promise<string> => {
    const { title: queue = "", id = "" } = jobs[job] ?? {};
    return (await somebody.get(`/api/queues/${encodeURIComponent(queue)}/${id}${part}`)).text;
  };
  expect(await read(0)).toContain(`"prompt":"answer ${secret}"`);
  expect(await read(0)).toContain(`"response":"${secret}"`);
  expect(await read(1)).toContain(`"failedReason":"context_too_long: ${secret}"`);
  expect(await read(2, "/logs")).toContain(secret);
  expect(await read(3)).toContain(`"payload":{"prompt":"${secret}"}`);
});
