import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createKeyStore } from "@forebay/access-keys";
import { answerText, createClient, type ForebayClient, type JobView } from "@forebay/client";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { closeRedis, openQueueSpace, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import { freePort, type ServiceProcess, startService, waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Ended, runForebay, type Running, startForebay } from "./run-forebay.ts";

const model = "llama3.2:3b";
const idPattern = /^j[0-9a-z]{33}$/;
let opened: AsyncDisposableStack;
let simulator: Simulator;
let client: ForebayClient;
let api: ServiceProcess;
let prefix: string;
let env: Record<string, string>;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  simulator = opened.use(await startSimulator({ tokensPerS: 100, numParallel: 4 }));
  prefix = `cli-jobs-${randomBytes(4).toString("hex")}`;
  const services = {
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: prefix,
    OLLAMA_URLS: `gpu-1=${simulator.url}`,
    OLLAMA_DEFAULT_MODEL: model,
    WORKER_CONCURRENCY: "4",
    WORKER_DISCOVERY_INTERVAL_MS: "200",
    DELIVERY_BACKOFF_BASE_MS: "20",
  };
  const [started] = await Promise.all([
    startService("api", services).then((service) => opened.use(service)),
    startService("worker", services).then((service) => opened.use(service)),
  ]);
  api = started;
  env = { FOREBAY_URL: api.url ?? "" };
  client = createClient({ baseUrl: api.url ?? "" });
  await waitFor(async () => (await client.models()).length > 0, { what: "the models are known" });
});
afterAll(() => opened.disposeAsync());

const forebay = (...args: string[]): Promise<Ended> => runForebay(args, { env });
const answerOf = async (id: string): Promise<string> => answerText((await client.get(id)).result);
const newJob = async (tokens: number, prompt = "Tell me"): Promise<string> =>
  (await client.submit({ model, prompt, options: { num_predict: tokens, seed: 1 } })).job_id;
const says = (running: Running, text: string | RegExp): Promise<unknown> =>
  waitFor(() => (running.out + running.err).match(text), {
    what: `it says ${String(text)}`,
    timeoutMs: 20_000,
  });

describe("submit", () => {
  test("prints the id of the job and nothing else", async () => {
    const { status, out, err } = await forebay("submit", "Why is the sky blue?");
    expect([status, err]).toEqual([0, ""]);
    expect(out.trim()).toMatch(idPattern);
    expect((await client.wait(out.trim())).state).toBe("completed");
  });

  test("makes the job its flags say", async () => {
    const flags = `--model qwen3:8b --system brief --lane batch --option num_predict=7 --option temperature=0.5
      --option stop=["x"] --metadata team=red --metadata n=1 --json`;
    const { out } = await forebay("submit", ...flags.split(/\s+/), "Hello");
    const job = JSON.parse(out) as JobView;
    expect(job).toMatchObject({ model: "qwen3:8b", lane: "batch", metadata: { team: "red", n: "1" } });
    await client.wait(job.job_id);
    const seen = simulator.requests().find(({ model: used }) => used === "qwen3:8b");
    expect(seen?.body).toMatchObject({
      prompt: "Hello",
      system: "brief",
      options: { num_predict: 7, temperature: 0.5, stop: ["x"] },
    });
  });

  test("reads a prompt of many lines from standard input", async () => {
    const { status } = await runForebay(["submit", "--wait"], { env, input: "line one\nline “two”\n" });
    expect(status).toBe(0);
    expect(simulator.requests().at(-1)?.body).toMatchObject({ prompt: "line one\nline “two”" });
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n"],
  ])("refuses %s as a prompt", async (_, input) => {
    const { status, err } = await runForebay(["submit"], { env, input });
    expect([status, err]).toEqual([2, expect.stringContaining("the prompt is empty")]);
  });

  test("--wait prints the answer when it is complete", async () => {
    const { status, out } = await forebay("submit", "--wait", "--option", "num_predict=30", "Tell me");
    expect(status).toBe(0);
    const job = JSON.parse(
      (await forebay("submit", "--wait", "--json", "--option", "num_predict=5", "x")).out,
    ) as JobView;
    expect(job.state).toBe("completed");
    const [latest] = (await client.list({ limit: 2 })).jobs.slice(1);
    expect(out).toBe(`${await answerOf(latest?.job_id ?? "")}\n`);
  });

  test("--watch writes the answer while it is made", async () => {
    await using running = startForebay(
      ["submit", "--watch", "--option", "num_predict=150", "--metadata", "watched=1", "Go"],
      { env },
    );
    await waitFor(() => running.out.length > 50, { what: "text comes" });
    const [job] = (await client.list({ metadata: { watched: "1" } })).jobs;
    expect(job?.state).toBe("active");
    const { status, out, err } = await running.ended;
    expect([status, err]).toEqual([0, ""]);
    expect(out).toBe(`${await answerOf(job?.job_id ?? "")}\n`);
  });

  test("the same key gives the same job, another one with it is refused", async () => {
    const first = await forebay("submit", "--idempotency-key", "k1", "same");
    expect((await forebay("submit", "--idempotency-key", "k1", "same")).out).toBe(first.out);
    const other = await forebay("submit", "--idempotency-key", "k1", "other");
    expect([other.status, other.err]).toEqual([1, expect.stringContaining("(idempotency_mismatch)")]);
  });
});

describe("watch", () => {
  test("writes the answer of a job that ended, from its beginning", async () => {
    const id = await newJob(30);
    await client.wait(id);
    expect(await forebay("watch", id)).toEqual({ status: 0, out: `${await answerOf(id)}\n`, err: "" });
  });

  test("--json writes every event, a line each", async () => {
    const id = await newJob(20);
    const lines = (await forebay("watch", "--json", id)).out.trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as { event: string; seq: number });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ event: "completed", job: { job_id: id } });
  });

  test("says on standard error that the answer begins again", async () => {
    simulator.setFault({ kind: "reset", after_tokens: 8, times: 1, match_prompt: "break once" });
    const id = await newJob(40, "break once");
    const { status, out, err } = await forebay("watch", id);
    expect([status, err]).toEqual([0, expect.stringContaining("the answer begins again")]);
    expect(out.slice(out.indexOf("\n") + 1)).toBe(`${await answerOf(id)}\n`);
  });

  test("ends with status 3 and the reason when the job ends without a result", async () => {
    const id = await newJob(3_000);
    await using running = startForebay(["watch", id], { env });
    await waitFor(() => running.out.length > 10, { what: "text comes" });
    await client.cancel(id);
    const { status, out, err } = await running.ended;
    expect([status, err]).toEqual([
      3,
      "forebay: the job ended as cancelled: cancelled on request (cancelled)\n",
    ]);
    expect(out.endsWith("\n")).toBe(true);
  });

  test("prints what a job answers that writes no text", async () => {
    const { job_id } = await client.submit({ model: "nomic-embed-text", input: ["a", "b"] });
    expect(JSON.parse((await forebay("watch", job_id)).out)).toHaveLength(2);
  });

  test("Ctrl-C leaves the job alone and says how to go on", async () => {
    const id = await newJob(3_000);
    await using running = startForebay(["watch", id], { env });
    await waitFor(() => running.out.length > 10, { what: "text comes" });
    running.signal("SIGINT");
    const { status, err } = await running.ended;
    expect(status).toBe(130);
    expect(err).toContain(`forebay watch ${id}`);
    expect(err).toContain(`forebay cancel ${id}`);
    expect((await client.get(id)).state).toBe("active");
    await client.cancel(id);
  });

  test("a second Ctrl-C cancels it", async () => {
    const id = await newJob(3_000);
    await using running = startForebay(["watch", id], { env });
    await waitFor(() => running.out.length > 10, { what: "text comes" });
    running.signal("SIGINT");
    await says(running, "Press Ctrl-C again");
    running.signal("SIGINT");
    const { status, err } = await running.ended;
    expect([status, err]).toEqual([130, expect.stringContaining(`cancelled ${id}`)]);
    expect((await client.get(id)).state).toBe("cancelled");
  });

  test("--cancel-on-interrupt cancels it at the first", async () => {
    await using running = startForebay(
      ["submit", "--watch", "--cancel-on-interrupt", "--option", "num_predict=3000", "x"],
      { env },
    );
    await waitFor(() => running.out.length > 10, { what: "text comes" });
    running.signal("SIGINT");
    const { status, err } = await running.ended;
    expect([status, err]).toEqual([130, expect.stringMatching(/cancelled j\w{33}/)]);
  });
});

const noTerminal = hasScript() ? undefined : "the program `script` is not there to make a terminal";
describe.skipIf(noTerminal !== undefined)(`in a terminal${noTerminal ? ` (${noTerminal})` : ""}`, () => {
  test("a line of progress stands below the answer, with speed and time left, and is gone in the end", async () => {
    const { status, out } = await runForebay(
      ["submit", "--watch", "--option", "num_predict=300", "--metadata", "terminal=1", "Go"],
      { env, terminal: true },
    );
    expect(status).toBe(0);
    expect(out).toMatch(/active on gpu-1 · \d+\/300 tokens · \d+\.\d tokens\/s · ETA \d/);
    expect(out).toMatch(/completed in .* · 300 tokens · \d+\.\d tokens\/s/);
    const [job] = (await client.list({ metadata: { terminal: "1" } })).jobs;
    expect(withoutDrawing(out)).toContain(await answerOf(job?.job_id ?? ""));
    // The whole screen scrolls again.
    expect(scrollingRows(out)).toEqual([23, 24]);
  });

  test("Ctrl-C gives the terminal back as it was", async () => {
    const id = await newJob(3_000);
    await using running = startForebay(["watch", id], { env, terminal: true });
    await says(running, /\d tokens\/s/);
    running.type("\x03");
    const { out } = await running.ended;
    expect(scrollingRows(out)).toEqual([23, 24]);
    expect(out).toContain(`forebay cancel ${id}`);
    await client.cancel(id);
  });
});

test("get shows a job, for a person or as JSON", async () => {
  const id = await newJob(10);
  await client.wait(id);
  const shown = await forebay("get", id);
  expect(shown.status).toBe(0);
  for (const part of [id, "completed", model, "active on gpu-1", "10 tokens", await answerOf(id)]) {
    expect(shown.out).toContain(part);
  }
  expect(JSON.parse((await forebay("get", "--json", id)).out)).toEqual(await client.get(id));
});

test("list shows the jobs that were asked for, page by page", async () => {
  for (const n of ["1", "2", "3"]) {
    await client.submit({ model, prompt: "x", options: { num_predict: 2 }, metadata: { page: "yes", n } });
  }
  const query = ["list", "--metadata", "page=yes", "--model", model, "--lane", "standard"];
  const first = await forebay(...query, "--limit", "2");
  expect(first.out).toMatch(/^ID +STATE +MODEL.*\nj\S+ .*page=yes n=3\nj\S+ .*n=2\n$/);
  const cursor = /--cursor (\S+)/.exec(first.err)?.[1] ?? "";
  expect((await forebay(...query, "--cursor", cursor)).out).toMatch(/n=1\n$/);
  const all = JSON.parse((await forebay(...query, "--json")).out) as { jobs: JobView[] };
  expect(all.jobs).toHaveLength(3);
  expect((await forebay("list", "--after", "2999-01-01T00:00:00Z")).out).toBe("No jobs.\n");
});

test("cancel stops jobs that wait and jobs that run, and says which it could not", async () => {
  const [running, ended] = [await newJob(3_000), await newJob(2)];
  const { job_id: delayed } = await client.submit({ model, prompt: "x", delay_ms: 3_600_000 });
  await client.wait(ended);
  const { status, out, err } = await forebay("cancel", running, ended, delayed);
  expect(status).toBe(1);
  expect(out).toBe(`${running} cancelled\n${delayed} cancelled\n`);
  expect(err).toContain(`${ended}: The job has finished`);
  expect(err).toContain("1 of 3 jobs could not be cancelled");
});

describe("what goes wrong is told with what to do, and status 1", () => {
  test("an unknown job", async () => {
    const { status, out, err } = await forebay("get", "j123");
    expect([status, out]).toEqual([1, ""]);
    expect(err).toMatch(/^forebay: There is no such job.*\n\(job_not_found\)\n$/);
  });

  test("options the server does not take", async () => {
    const { status, err } = await forebay("submit", "--option", "colour=red", "--option", "seed=x", "p");
    expect(status).toBe(1);
    expect(err).toContain("options.colour is not a known field");
    expect(err).toContain("options.seed");
  });

  test("a server that is not there", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { status, err } = await runForebay(["get", "j1"], { env: { FOREBAY_URL: url } });
    expect(status).toBe(1);
    expect(err).toMatch(/cannot be reached.*ECONNREFUSED.*Trying again in 1 s/);
    expect(err).toMatch(/cannot be reached.*ECONNREFUSED.*\nIs the API running there\?.*\n$/);
  });

  test("a server that is something else", async () => {
    const url = simulator.url;
    const { status, err } = await runForebay(["list", "--url", `${url}/`, "--api-key", "x"], { env: {} });
    expect([status, err]).toEqual([1, expect.stringContaining("404")]);
  });

  // Last: from here on the server wants a key.
  test("a key that is missing or wrong; the environment, a file of it, or a flag gives it", async () => {
    const key = await makeKey();
    await waitFor(async () => (await forebay("list")).status === 1, { what: "a key is wanted" });
    expect((await forebay("list")).err).toMatch(/Send an API key.*\nGive a key with FOREBAY_API_KEY/);
    const wrong = await runForebay(["list"], { env: { ...env, FOREBAY_API_KEY: "fbk_wrong" } });
    expect([wrong.status, wrong.err]).toEqual([1, expect.stringContaining("not known")]);
    expect((await runForebay(["list"], { env: { ...env, FOREBAY_API_KEY: key } })).status).toBe(0);
    expect((await forebay("list", "--api-key", key)).status).toBe(0);
  });
});

async function makeKey(): Promise<string> {
  const redis = openRedis({ url: inject("redisUrl"), prefix }, "producer", "test", () => undefined);
  await waitForRedis(redis, 5_000);
  try {
    const input = { name: "ci", tenant: "default", role: "client" } as const;
    return (await createKeyStore(openQueueSpace(redis, prefix)).create(input)).key;
  } finally {
    await closeRedis(redis);
  }
}

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

const escape = "\u001b";

/** How many rows of the terminal scrolled, one after the other. */
function scrollingRows(output: string): number[] {
  return [...output.replaceAll(escape, "␛").matchAll(/␛\[1;(\d+)r/g)].map(([, rows]) => Number(rows));
}

/** What is left when everything is taken away that was drawn on a row of its own. */
function withoutDrawing(output: string): string {
  return output
    .replaceAll(escape, "␛")
    .replace(/␛7␛\[24;1H.*?␛8/g, "")
    .replace(/␛7␛\[1;\d+r␛8|␛\[1A/g, "")
    .replaceAll("\r\n", "\n");
}
