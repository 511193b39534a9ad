import { logKey } from "@forebay/queue-bullmq";
import type { JobRecord } from "@forebay/queue-bullmq";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { createFixture, type Fixture } from "./worker-fixture.ts";
import type { ServiceProcess } from "@forebay/test-harness";

let fixture: Fixture;
let worker: ServiceProcess;
beforeAll(async () => {
  fixture = await createFixture(inject("redisUrl"), { tokensPerS: 2_000 });
  worker = await fixture.startWorker();
});
afterEach(() => fixture.simulator.clearFaults());
afterAll(() => fixture[Symbol.asyncDispose]());

const format = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};
const valid = '{"name":"Ada","age":36}';
const secret = "Zanzibar";
const invalid = JSON.stringify({ name: secret, age: "old" });
const generate = { request: { prompt: "Who?", format, options: { seed: 1 } } };
const chat = { type: "chat", request: { messages: [{ role: "user", content: "Who?" }], format } };
/** What the model says to the next calls, one after the other. */
const say = (...messages: string[]) => {
  fixture.simulator.clearFaults();
  fixture.simulator.setFault(messages.map((message, index) => ({ kind: "answer", message, nth: index + 1 })));
};
const callsSince = (before: number) => fixture.simulator.requests().slice(before);
const callsSoFar = () => fixture.simulator.requests().length;

async function logOf(job: JobRecord): Promise<[event: string, data: { text?: string }][]> {
  const key = logKey(fixture.space.jobKey(job.queueName, job.id));
  const entries = await fixture.space.client.xrange(key, "-", "+");
  return entries.map(([, fields]) => [fields[1] ?? "", JSON.parse(fields[3] ?? "{}") as { text?: string }]);
}

const metric = async (result: string): Promise<number> => {
  const text = await (await fetch(`${worker.opsUrl}/metrics`)).text();
  const line = new RegExp(`^forebay_answers_checked_total\\{.*result="${result}".*\\} (\\d+)$`, "m").exec(
    text,
  );
  return Number(line?.[1] ?? 0);
};

test("an answer that satisfies its schema costs one call", async () => {
  const before = callsSoFar();
  say(valid);
  const job = await fixture.ended(await fixture.submit(generate));
  expect(job).toMatchObject({ state: "completed", result: { response: valid } });
  expect(callsSince(before)).toHaveLength(1);
  expect(await metric("valid")).toBe(1);
});

test("one that does not is asked for once more; the model is told why, and both are paid for", async () => {
  const before = callsSoFar();
  say(invalid, valid);
  const job = await fixture.ended(await fixture.submit(chat));
  expect(job.result).toMatchObject({ type: "chat", message: { content: valid } });
  expect(job).toMatchObject({ attemptsMade: 1, starts: [{ outcome: "completed" }] });
  const [first, second] = callsSince(before);
  expect(first?.body).toMatchObject(chat.request);
  const messages = second?.body["messages"] as { role: string; content: string }[];
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(messages[1]?.content).toBe(invalid);
  expect(messages[2]?.content).toContain('#/age: Instance type "string" is invalid. Expected "integer".');
  expect(second?.body["format"]).toEqual(format);
  const tokens = job.result && "eval_count" in job.result ? job.result.eval_count : 0;
  expect(job.result?.usage.completion_tokens).toBeGreaterThan(tokens);
  expect(job.result?.usage.prompt_tokens).toBeGreaterThan(job.result?.prompt_eval_count ?? 0);
  expect(await metric("repaired")).toBe(1);
});

test("readers of the log drop the answer that was repaired, and then have the text of the result", async () => {
  // What is here as a whole at once is judged before anybody has seen it.
  const long = JSON.stringify({ name: `${secret} `.repeat(100), age: "old" });
  say(long, valid);
  const job = await fixture.ended(await fixture.submit(generate));
  const log = await logOf(job);
  const restart = log.findLastIndex(([event]) => event === "restart");
  const textIn = (entries: typeof log) => entries.map(([, { text = "" }]) => text).join("");
  const dropped = textIn(log.slice(0, restart));
  expect(dropped).not.toBe("");
  expect(long.startsWith(dropped)).toBe(true);
  expect(textIn(log.slice(restart))).toBe(valid);
});

test("a second answer of the wrong form ends the job, whose error quotes neither", async () => {
  const before = callsSoFar();
  say(invalid, invalid, valid);
  const job = await fixture.ended(await fixture.submit(generate, { attempts: 5 }));
  expect(job).toMatchObject({ state: "failed", attemptsMade: 1, failure: { code: "schema_mismatch" } });
  expect(job.failure?.message).toContain("type");
  expect(JSON.stringify([job.failure, job.starts])).not.toContain(secret);
  expect(callsSince(before)).toHaveLength(2);
  expect(await metric("mismatch")).toBe(1);
});

test('with "json" an answer must be JSON, and is repaired where it is not', async () => {
  say("Here you are: {}", "{}");
  const job = await fixture.ended(
    await fixture.submit({ request: { prompt: "Who?", format: "json", raw: true, options: { seed: 1 } } }),
  );
  expect(job).toMatchObject({ state: "completed", result: { response: "{}" } });
});

test("an answer cut by its limit, or a tool call, is passed on as it is", async () => {
  say(valid);
  const cut = await fixture.ended(
    await fixture.submit({ request: { ...generate.request, options: { num_predict: 3 } } }),
  );
  expect(cut).toMatchObject({ state: "completed", result: { done_reason: "length" } });
  fixture.simulator.clearFaults();
  const tools = [{ type: "function", function: { name: "find", parameters: { type: "object" } } }];
  const messages = [{ role: "user", content: "[call:find]" }];
  const called = await fixture.ended(
    await fixture.submit({ type: "chat", request: { messages, tools, format } }),
  );
  expect(called).toMatchObject({ state: "completed", result: { message: { tool_calls: [{}] } } });
  expect(await metric("unchecked")).toBe(2);
});

test("a schema that cannot be checked ends its job, and the worker goes on", async () => {
  say(JSON.stringify("a".repeat(60) + "!"));
  const endless = await fixture.ended(
    await fixture.submit({ request: { prompt: "Who?", format: { pattern: "^(a+)+$" } } }),
  );
  expect(endless).toMatchObject({ state: "failed", failure: { code: "invalid_request" } });
  say(valid);
  expect(await fixture.ended(await fixture.submit(generate))).toMatchObject({ state: "completed" });
});
