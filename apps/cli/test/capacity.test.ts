import { randomBytes } from "node:crypto";
import { type Capacity, createClient, type ForebayClient } from "@forebay/client";
import { startSimulator } from "@forebay/ollama-simulator";
import { startService, waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Ended, runForebay } from "./run-forebay.ts";

const model = "llama3.2:3b";
let opened: AsyncDisposableStack;
let client: ForebayClient;
let env: Record<string, string>;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const simulator = opened.use(await startSimulator({ tokensPerS: 1_000, loadMs: 0 }));
  const services = {
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: `cli-capacity-${randomBytes(4).toString("hex")}`,
    OLLAMA_URLS: `gpu-1=${simulator.url}`,
    OLLAMA_DEFAULT_MODEL: model,
    WORKER_CONCURRENCY: "3",
    WORKER_DISCOVERY_INTERVAL_MS: "200",
  };
  const [api] = await Promise.all([
    startService("api", services).then((service) => opened.use(service)),
    startService("worker", services).then((service) => opened.use(service)),
  ]);
  env = { FOREBAY_URL: api.url ?? "" };
  client = createClient({ baseUrl: api.url ?? "" });
  await waitFor(async () => (await client.models()).length > 0, { what: "the models are known" });
});
afterAll(() => opened.disposeAsync());

const forebay = (...args: string[]): Promise<Ended> => runForebay(args, { env });
const newJob = async (): Promise<string> => (await client.submit({ model, prompt: "Tell me" })).job_id;

test("a drained host takes nothing until it is used again", async () => {
  const id = await newJob();
  expect((await client.wait(id)).state).toBe("completed");
  expect(await forebay("capacity", "drain", "gpu-1")).toEqual({
    status: 0,
    out: "gpu-1 is given nothing new\n",
    err: "",
  });
  const waiting = await newJob();
  const drained = JSON.parse((await forebay("capacity", "--json")).out) as Capacity;
  expect(drained).toMatchObject({
    workers: 1,
    backends: [{ name: "gpu-1", up: true, draining: true }],
  });
  const line = drained.models.find(({ name }) => name === model);
  expect(line).toMatchObject({ slots: 0, waiting: 1, eta_s: null });
  expect(line?.work_s).toBeGreaterThan(0);
  const { out } = await forebay("capacity");
  expect(out).toMatch(/^gpu-1 +drained +\S+ +\S/m);
  expect(out).toMatch(/^llama3\.2:3b +open +0 +0 +1 .* unknown$/m);
  const undrained = await forebay("capacity", "undrain", "gpu-1", "--json");
  expect(JSON.parse(undrained.out)).toEqual({ backend: "gpu-1", draining: false });
  expect((await client.wait(waiting)).state).toBe("completed");
});

test("a paused model's jobs wait until it is resumed", async () => {
  expect((await forebay("capacity", "pause", model)).out).toBe(`${model} is paused\n`);
  const id = await newJob();
  const { out } = await forebay("capacity");
  expect(out).toMatch(/^llama3\.2:3b +paused +0 +0 +1 .* when resumed$/m);
  expect((await forebay("capacity", "resume", model)).out).toBe(`${model} is resumed\n`);
  expect((await client.wait(id)).state).toBe("completed");
});

test.each([
  ["drain", "gpu-9", "backend_not_found"],
  ["pause", "nope", "model_not_found"],
])("capacity %s of what nobody knows is refused", async (verb, name, code) => {
  const { status, out, err } = await forebay("capacity", verb, name);
  expect([status, out, err]).toEqual([1, "", expect.stringContaining(`(${code})`)]);
});
