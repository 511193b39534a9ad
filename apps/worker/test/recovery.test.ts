import { startSimulator } from "@forebay/ollama-simulator";
import { waitFor } from "@forebay/test-harness";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { createFixture, type Fixture, model } from "./worker-fixture.ts";

const workers = 2;
/** Each worker may look twice at a host that is back before its jobs run there again. */
const looksMax = 2 * workers;
const request = { prompt: "Count", options: { num_predict: 20, seed: 1 } };

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"), { tokensPerS: 200, loadMs: 50, numParallel: 2 });
  const env = {
    WORKER_CONCURRENCY: "2",
    // Longer than anything here takes but for what is waited for: looks can be counted.
    WORKER_DISCOVERY_INTERVAL_MS: "1000",
    WORKER_TOKEN_TIMEOUT_S: "0.5",
    WORKER_FIRST_BYTE_TIMEOUT_S: "1",
  };
  await Promise.all(Array.from({ length: workers }, () => fixture.startWorker(env)));
  await allServed(await submit(4));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const submit = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => fixture.submit({ request }, { attempts: 1 })));
async function allServed(ids: readonly string[]): Promise<void> {
  const jobs = await Promise.all(ids.map((id) => fixture.ended(id)));
  expect(jobs.map(({ state, attemptsMade }) => [state, attemptsMade])).toEqual(
    ids.map(() => ["completed", 1]),
  );
}
const runs = (): Promise<unknown> =>
  waitFor(() => fixture.simulator.stats().active > 0, { what: "a call runs", timeoutMs: 20_000 });
/** How often the host is looked at before the next job is done there. */
async function looksUntilServed(): Promise<number> {
  const before = fixture.simulator.stats();
  await waitFor(() => fixture.simulator.stats().completed > before.completed, {
    what: "a job is done",
    timeoutMs: 20_000,
  });
  return fixture.simulator.stats().probes - before.probes;
}

describe("workers who share a host lose no job, spend no attempt, and use it after two looks at most, when it", () => {
  test("was killed", async () => {
    const ids = await submit(8);
    await runs();
    fixture.simulator.crash(1_500);
    expect(await looksUntilServed()).toBeLessThanOrEqual(looksMax);
    await allServed(ids);
  });

  test("flapped", async () => {
    const ids = await submit(12);
    for (let flap = 0; flap < 3; flap++) {
      await runs();
      fixture.simulator.crash(100);
    }
    // Not what it takes between: only once it stays.
    await waitFor(() => fixture.simulator.stats().active === 0, { what: "it is gone" });
    expect(await looksUntilServed()).toBeLessThanOrEqual(looksMax);
    await allServed(ids);
  });

  test("lost a model and has it again", async () => {
    const change = (method: string, path: string) =>
      fetch(fixture.simulator.url + path, { method, body: JSON.stringify({ model, stream: false }) });
    await change("DELETE", "/api/delete");
    const ids = await submit(4);
    const gone = fixture.simulator.stats().probes;
    await waitFor(() => fixture.simulator.stats().probes >= gone + looksMax, { what: "both saw it" });
    await change("POST", "/api/pull");
    expect(await looksUntilServed()).toBeLessThanOrEqual(looksMax);
    await allServed(ids);
  });

  test("fell silent while its lists were green", async () => {
    fixture.simulator.setFault({ kind: "hang", after_tokens: 2 });
    const ids = await submit(2);
    const asked = (): number => fixture.simulator.requests().filter(({ text }) => text === ".").length;
    await waitFor(() => asked() > 0, { what: "it is asked for a token", timeoutMs: 20_000 });
    fixture.simulator.clearFaults();
    const before = asked();
    await looksUntilServed();
    // Those under way when it came back may be lost.
    expect(asked() - before).toBeLessThanOrEqual(looksMax);
    await allServed(ids);
  });
});

test("a slow host is not taken for one that is silent", async () => {
  fixture.simulator.setFault({ kind: "slow", tokens_per_s: 5, times: 2 });
  const ids = await submit(4);
  await allServed(ids);
  const jobs = await Promise.all(ids.map((id) => fixture.read(id)));
  expect(jobs.map(({ starts }) => starts.length)).toEqual([1, 1, 1, 1]);
});

test("workers of different hosts: what one host breaks off another worker's host finishes", async () => {
  await using second = await startSimulator({ tokensPerS: 200, numParallel: 2 });
  await fixture.startWorker({ OLLAMA_URLS: `gpu-2=${second.url}`, WORKER_CONCURRENCY: "2" });
  const ids = await submit(6);
  await runs();
  fixture.simulator.crash(3_600_000);
  await allServed(ids);
});
