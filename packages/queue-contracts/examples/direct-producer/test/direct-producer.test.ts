import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startSimulator, startStack } from "@forebay/test-harness";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { awaitAnswer } from "../src/await-answer.ts";
import { type Place, putJob } from "../src/put-job.ts";

const prefix = `direct-producer-${process.pid}`;
const model = "llama3.2:3b";
const opened = new AsyncDisposableStack();
let place: Place;

beforeAll(async () => {
  const redisUrl = inject("redisUrl");
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  opened.defer(() => redis.disconnect());
  opened.defer(async () => {
    const keys = await redis.keys(`${prefix}:*`);
    if (keys.length > 0) await redis.del(keys);
  });
  const simulator = opened.use(await startSimulator(["--tokens-per-s", "0", "--load-ms", "0"]));
  opened.use(await startStack({ redisUrl, ollamaUrls: simulator.url, prefix, services: ["worker"] }));
  place = { redis, prefix };
});
afterAll(() => opened.disposeAsync());

test("another team's service puts a job with plain BullMQ and gets the worker's answer", async () => {
  const put = await putJob(place, "Why is the sky blue?", model);
  expect(put.queueName).toMatch(/^\{infer\.llama3\.2_3b\.\w{8}\}$/);
  expect(await awaitAnswer(place, put, 20_000)).toMatchObject({
    type: "generate",
    model,
    response: expect.stringMatching(/\w/),
    usage: { completion_tokens: expect.any(Number), gpu_ms: expect.any(Number) },
  });
});

test("it may begin to wait after the job ended", async () => {
  const put = await putJob(place, "Why is the grass green?", model);
  const answer = await awaitAnswer(place, put, 20_000);
  expect(await awaitAnswer(place, put, 20_000)).toEqual(answer);
});

test("a job that cannot succeed fails with a code of the closed list", async () => {
  const put = await putJob(place, "An embedding model writes no text", "nomic-embed-text");
  await expect(awaitAnswer(place, put, 20_000)).rejects.toMatchObject({ code: "unsupported_capability" });
});

test("a payload that is no job is refused before anything is written", async () => {
  await expect(putJob(place, "a\0b", model)).rejects.toThrow("well-formed Unicode");
});

test("the settings of the queue stay Forebay's", async () => {
  const { queueName, job } = await putJob(place, "Who sets the length of the event stream?", model);
  const settings = (): Promise<Record<string, string>> => place.redis.hgetall(`${prefix}:${queueName}:meta`);
  const before = await settings();
  await awaitAnswer(place, { queueName, job }, 20_000);
  expect(before["opts.maxLenEvents"]).not.toBe("10000");
  expect(await settings()).toEqual(before);
});

test("as a program it prints the answer", async () => {
  const file = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const env = { REDIS_URL: inject("redisUrl"), FOREBAY_KEY_PREFIX: prefix };
  const { stdout } = await promisify(execFile)(process.execPath, [file, "Why?", model], { env });
  expect(stdout).toMatch(/^job j\w+ on \{infer\..+\n.*\w/);
});
