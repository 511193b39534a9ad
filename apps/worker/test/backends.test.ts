import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRegistry, setWish } from "@forebay/queue-bullmq";
import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./worker-fixture.ts";

const request = { prompt: "Count", options: { num_predict: 20, seed: 1 } };
/** Of another model, which would think all its tokens away if it were let. */
const other = { model: "qwen3:8b", request: { ...request, think: false } };

let stack: AsyncDisposableStack;
let fixture: Fixture;
let second: Simulator;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  fixture = stack.use(
    await createFixture(inject("redisUrl"), { tokensPerS: 200, maxLoaded: 1, loadMs: 150 }),
  );
  second = stack.use(await startSimulator({ tokensPerS: 200, maxLoaded: 1, loadMs: 150 }));
});
afterEach(() => stack.disposeAsync());

const both = () => ({
  OLLAMA_URLS: `gpu-1=${fixture.simulator.url},gpu-2=${second.url}`,
  WORKER_TOKEN_TIMEOUT_S: "0.5",
  WORKER_FIRST_BYTE_TIMEOUT_S: "1",
});
const one = () => ({ ...both(), OLLAMA_URLS: `gpu-1=${fixture.simulator.url}` });

const submit = (count: number, fields: Record<string, unknown> = {}): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => fixture.submit({ request, ...fields }, { attempts: 1 })));
/** Waits for all of them, and says where each ended. None may have failed, or have spent more than its attempt. */
async function allServed(ids: readonly string[]): Promise<(string | undefined)[]> {
  const jobs = await Promise.all(ids.map((id) => fixture.ended(id)));
  expect(jobs.map(({ state, attemptsMade }) => [state, attemptsMade])).toEqual(
    ids.map(() => ["completed", 1]),
  );
  return jobs.map(({ starts }) => starts.at(-1)?.backend);
}
/** Whether a backend serves when there is no other: a model stays where it is loaded. */
async function servedBy(backend: "gpu-1" | "gpu-2"): Promise<void> {
  const other = backend === "gpu-1" ? "gpu-2" : "gpu-1";
  await setWish(fixture.space, "draining", other, true);
  await waitFor(async () => (await allServed(await submit(1))).includes(backend), {
    what: `${backend} serves`,
    timeoutMs: 20_000,
  });
  await setWish(fixture.space, "draining", other, false);
}

describe("no job fails, and none spends an attempt, when a backend", () => {
  test("is killed among others, and it serves again when it is back", async () => {
    await fixture.startWorker(both());
    await servedBy("gpu-1");
    const ids = await submit(12);
    fixture.simulator.crash(1_500);
    await allServed(ids);
    await servedBy("gpu-1");
  });

  test("is the only one and flaps", async () => {
    await fixture.startWorker(one());
    const ids = await submit(8);
    for (let round = 0; round < 3; round++) {
      await waitFor(() => fixture.simulator.stats().active > 0, { what: "a call runs", timeoutMs: 20_000 });
      fixture.simulator.crash(200);
    }
    await allServed(ids);
  });

  test("hangs while its lists are green, and it serves again when it answers again", async () => {
    await fixture.startWorker(both());
    await servedBy("gpu-1");
    fixture.simulator.setFault({ kind: "hang", after_tokens: 2 });
    await allServed(await submit(8));
    fixture.simulator.clearFaults();
    await servedBy("gpu-1");
  });

  test("is slow", async () => {
    await fixture.startWorker(both());
    fixture.simulator.setFault({ kind: "slow", tokens_per_s: 10 });
    await allServed(await submit(8));
  });

  test("denies a model that it lists, while another one has it", async () => {
    fixture.simulator.setFault({ kind: "404", message: `model '${model}' not found` });
    await fixture.startWorker(both());
    await waitFor(() => fixture.simulator.stats().probes > 1, { what: "both hosts were looked at" });
    expect(new Set(await allServed(await submit(8)))).toEqual(new Set(["gpu-2"]));
    expect(fixture.simulator.stats().failed).toBeGreaterThan(0);
  });

  test("loses a model: its jobs wait, and run when it is back", async () => {
    await fixture.startWorker({ ...one(), WORKER_DISCOVERY_INTERVAL_MS: "1000" });
    await allServed(await submit(1));
    const change = (method: string, path: string) =>
      fetch(fixture.simulator.url + path, { method, body: JSON.stringify({ model, stream: false }) });
    await change("DELETE", "/api/delete");
    const ids = await submit(3);
    await waitFor(
      async () =>
        (await readRegistry(fixture.space)).leases[0]?.backends[0]?.models.every(
          ({ name }) => name !== model,
        ),
      { what: "it is gone" },
    );
    expect((await fixture.read(ids[0] ?? "")).state).toMatch(/waiting|delayed/);
    await change("POST", "/api/pull");
    await allServed(ids);
  });
});

describe("operators", () => {
  test("drain a backend: what runs is finished, and nothing new begins until it is undrained", async () => {
    const { opsUrl } = await fixture.startWorker(both());
    const metrics = async (): Promise<string> => (await fetch(`${opsUrl}/metrics`)).text();
    const running = await submit(2);
    await waitFor(() => fixture.simulator.stats().active + second.stats().active > 0, { what: "calls run" });
    await setWish(fixture.space, "draining", "gpu-1", true);
    await allServed(running);
    await waitFor(async () => (await readRegistry(fixture.space)).leases[0]?.backends[0]?.draining, {
      what: "it is told",
    });
    expect(new Set(await allServed(await submit(6)))).toEqual(new Set(["gpu-2"]));
    expect(await metrics()).toContain('forebay_backend_draining{backend="gpu-1"} 1');
    expect(await metrics()).toContain(`forebay_backend_model_served{backend="gpu-1",model="${model}"} 0`);
    expect(await metrics()).toContain(`forebay_backend_model_served{backend="gpu-2",model="${model}"} 1`);
    await setWish(fixture.space, "draining", "gpu-1", false);
    await servedBy("gpu-1");
  });

  test("pause a model: its jobs wait, others run, and resuming runs them", async () => {
    await fixture.startWorker(one());
    await allServed(await submit(1));
    await setWish(fixture.space, "paused", model, true);
    // Told at once, heeded by the next look: an other model's job shows that it is over.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [waiting = ""] = await submit(1);
    await allServed(await submit(1, other));
    expect(await fixture.read(waiting)).toMatchObject({ state: "waiting", starts: [] });
    await setWish(fixture.space, "paused", model, false);
    await allServed([waiting]);
  });

  test("add and remove backends while a worker runs; a list that does not parse changes nothing", async () => {
    const path = join(tmpdir(), `forebay-backends-${randomBytes(4).toString("hex")}`);
    stack.defer(() => rm(path, { force: true }));
    await writeFile(path, `# first\ngpu-1=${fixture.simulator.url}\n`);
    await fixture.startWorker({ ...both(), OLLAMA_BACKENDS_PATH: path });
    expect(new Set(await allServed(await submit(2)))).toEqual(new Set(["gpu-1"]));
    await writeFile(path, "gpu-2=nonsense\n");
    expect(new Set(await allServed(await submit(2)))).toEqual(new Set(["gpu-1"]));
    await writeFile(path, `gpu-2=${second.url}\n`);
    await servedBy("gpu-2");
    expect(new Set(await allServed(await submit(2)))).toEqual(new Set(["gpu-2"]));
  });
});

test("jobs of two models in turn are grouped: a backend that holds one of them swaps only now and then", async () => {
  const [a, b] = [await submit(1), await submit(1, other)];
  const ids = [...a, ...b];
  for (let pair = 0; pair < 9; pair++) ids.push(...(await submit(1)), ...(await submit(1, other)));
  await fixture.startWorker(one());
  await allServed(ids);
  expect(fixture.simulator.stats().loads).toBeLessThanOrEqual(4);
});

test("a tenant's lone job for another model is not left until there are no more jobs for the loaded one", async () => {
  await fixture.startWorker({ ...one(), WORKER_AFFINITY_WAIT_S: "0.5", WORKER_CONCURRENCY: "1" });
  // That its backend holds one model only is known from now on.
  for (const fields of [{}, other, {}]) await allServed(await submit(1, fields));
  const hot = await submit(30);
  const lone = await submit(1, { ...other, tenant: "other" });
  await allServed(lone);
  const states = await Promise.all(hot.map(async (id) => (await fixture.read(id)).state));
  expect(states).toContain("waiting");
  await allServed(hot);
});

test("two models find a home each on two backends that hold one", async () => {
  const ids = [...(await submit(4)), ...(await submit(4, other))];
  await fixture.startWorker({ ...both(), WORKER_SLOTS: `${model}=1,${other.model}=1` });
  await allServed(ids);
  expect(fixture.simulator.stats().loads + second.stats().loads).toBeLessThanOrEqual(5);
});

test("a model that another worker's backend has in memory is not loaded once more for a job", async () => {
  await fixture.startWorker(one());
  await allServed(await submit(1));
  await fixture.startWorker({ ...one(), OLLAMA_URLS: `gpu-2=${second.url}` });
  for (let job = 0; job < 5; job++) await allServed(await submit(1));
  expect([fixture.simulator.stats().loads, second.stats().loads]).toEqual([1, 0]);
});

test("what is in the memory of which backend, and its slots, are announced", async () => {
  await fixture.startWorker({ ...one(), WORKER_SLOTS: `${other.model}@gpu-1=3` });
  await allServed(await submit(1, other));
  const announced = await waitFor(
    async () => {
      const { leases } = await readRegistry(fixture.space);
      const [backend] = leases[0]?.backends ?? [];
      return backend?.loaded?.length === 1 ? backend : undefined;
    },
    { what: "it is announced" },
  );
  expect(announced).toMatchObject({ name: "gpu-1", up: true, draining: false, loaded: [other.model] });
  expect(announced.models.find(({ name }) => name === other.model)).toMatchObject({ slots: 3, loaded: true });
  expect(announced.models.find(({ name }) => name === "nomic-embed-text:latest")).toMatchObject({ slots: 1 });
});

test("what was loaded is announced when it is there, not with the next look", async () => {
  await fixture.startWorker({ ...one(), WORKER_DISCOVERY_INTERVAL_MS: "60000" });
  await allServed(await submit(1));
  await waitFor(
    async () => {
      const { leases } = await readRegistry(fixture.space);
      return leases[0]?.backends[0]?.models.some(({ name, loaded }) => name === model && loaded);
    },
    { what: "the worker says that the model is loaded" },
  );
});
