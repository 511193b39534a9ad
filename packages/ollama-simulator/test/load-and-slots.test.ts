import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../src/index.ts";
import { ask, get, until } from "./ask.ts";

async function start(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator({ models: ["a:1b", "b:1b", "c:1b"], maxLoaded: 1, ...options });
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A generation that goes on until somebody ends it. */
function generate(simulator: Simulator, model: string, rest: object = {}) {
  const client = new AbortController();
  const body = JSON.stringify({ model, prompt: "Hi", ...rest });
  const response = fetch(`${simulator.url}/api/generate`, { method: "POST", body, signal: client.signal });
  const ended = response.then((received) => received.text()).catch((error: unknown) => String(error));
  return { response, ended, abort: () => client.abort() };
}

const endless = { options: { num_predict: 40_000 } };

test("not a byte arrives while the model loads, and no list shows it", async () => {
  const simulator = await start({});
  simulator.setFault({ kind: "load_stall" });
  let answered = false;
  const loading = generate(simulator, "a:1b");
  void loading.ended.then(() => (answered = true));
  await until(() => simulator.stats().loading === "a:1b");
  expect((await get(simulator, "/api/ps")).json).toEqual({ models: [] });
  expect(answered).toBe(false);
  loading.abort();
  expect(await loading.ended).toContain("aborted");
});

test("load_duration tells afterwards how long it took", async () => {
  const simulator = await start({ loadMs: 60 });
  const { json } = await ask(simulator, "/api/generate", { model: "a:1b", prompt: "Hi", stream: false });
  expect(json.load_duration).toBeGreaterThanOrEqual(59e6);
});

test("waiting for a slot is in the total duration only", async () => {
  const simulator = await start({});
  simulator.setFault({ kind: "hang", times: 1 });
  const first = generate(simulator, "a:1b");
  await until(() => simulator.stats().active === 1);
  const second = generate(simulator, "a:1b", { stream: false, options: { num_predict: 1 } });
  await until(() => simulator.stats().waiting === 1);
  await wait(50);
  first.abort();
  const {
    total_duration,
    load_duration,
    prompt_eval_duration = 0,
    eval_duration,
  } = JSON.parse(await second.ended);
  expect(total_duration - load_duration - prompt_eval_duration - eval_duration).toBeGreaterThan(49e6);
});

test("no more than num-parallel generate at once, the others stand in line", async () => {
  const simulator = await start({ numParallel: 2 });
  simulator.setFault({ kind: "hang", times: 2 });
  const busy = [generate(simulator, "a:1b"), generate(simulator, "a:1b")];
  await until(() => simulator.stats().active === 2);
  const others = Array.from({ length: 4 }, () =>
    generate(simulator, "a:1b", { options: { num_predict: 5 } }),
  );
  await until(() => simulator.stats().waiting === 4);
  for (const { abort } of busy) abort();
  await Promise.all(others.map(({ ended }) => ended));
  const after = { max_active: 2, active: 0, waiting: 0, completed: 4, aborted: 2, tokens: 20, loads: 1 };
  await until(() => simulator.stats().active === 0);
  expect(simulator.stats()).toMatchObject(after);
});

test("a client that leaves frees the slot for the next one", async () => {
  const simulator = await start({ tokensPerS: 50 });
  const first = generate(simulator, "a:1b", endless);
  await first.response;
  const second = generate(simulator, "a:1b", { options: { num_predict: 1 } });
  await until(() => simulator.stats().waiting === 1);
  first.abort();
  expect(await second.ended).toContain('"done":true');
  expect(simulator.stats()).toMatchObject({ aborted: 1, completed: 1, active: 0 });
  expect(simulator.requests().map(({ outcome }) => outcome)).toEqual(["aborted", "completed"]);
});

test("a client that leaves while waiting for a slot gives up its place", async () => {
  const simulator = await start({ tokensPerS: 50 });
  const first = generate(simulator, "a:1b", endless);
  await first.response;
  const second = generate(simulator, "a:1b");
  await until(() => simulator.stats().waiting === 1);
  second.abort();
  await until(() => simulator.stats().waiting === 0);
  expect(simulator.stats()).toMatchObject({ active: 1, aborted: 1 });
  first.abort();
});

test("a client that leaves during a load kills it, and the next one starts from the beginning", async () => {
  const simulator = await start({});
  simulator.setFault({ kind: "load_stall", times: 1 });
  const first = generate(simulator, "a:1b");
  await until(() => simulator.stats().loading === "a:1b");
  const second = generate(simulator, "a:1b", { options: { num_predict: 1 } });
  await until(() => simulator.stats().pending === 1);
  first.abort();
  expect(await second.ended).toContain('"done":true');
  expect(simulator.stats()).toMatchObject({ load_aborts: 1, loads: 1, aborted: 1 });
});

test("a full pending queue answers 503, a loaded model never does", async () => {
  const simulator = await start({ maxQueue: 1, tokensPerS: 50 });
  const busy = generate(simulator, "a:1b", endless);
  await busy.response;
  const swaps = [generate(simulator, "b:1b"), generate(simulator, "c:1b")];
  await until(() => simulator.stats().pending === 1);
  expect(await ask(simulator, "/api/generate", { model: "c:1b", prompt: "Hi" })).toMatchObject({
    status: 503,
    json: { error: "server busy, please try again.  maximum pending requests exceeded" },
  });
  const hot = Array.from({ length: 20 }, () => generate(simulator, "a:1b"));
  await until(() => simulator.stats().waiting === 20);
  expect(simulator.stats().rejected).toBe(1);
  for (const { abort } of [busy, ...swaps, ...hot]) abort();
});

test("alternating models swap every time, grouped ones once", async () => {
  const simulator = await start({});
  const run = async (names: string) => {
    for (const name of names) await ask(simulator, "/api/generate", { model: `${name}:1b`, prompt: "Hi" });
    const { loads, swaps } = simulator.stats();
    return { loads, swaps };
  };
  expect(await run("ababab")).toEqual({ loads: 6, swaps: 5 });
  await ask(simulator, "/__simulator/reset");
  expect(await run("bbbaaa")).toEqual({ loads: 1, swaps: 1 });
});

test("another num_ctx reloads the model, the same one does not", async () => {
  const simulator = await start({});
  for (const num_ctx of [2048, 2048, 8192])
    await ask(simulator, "/api/generate", { model: "a:1b", prompt: "Hi", options: { num_ctx } });
  expect(simulator.stats()).toMatchObject({ loads: 2, reloads: 1, swaps: 0 });
  expect(simulator.stats().models["a:1b"]).toMatchObject({ loaded: true, num_ctx: 8192 });
});

test("a reader that does not read holds up nothing but itself", async () => {
  const simulator = await start({ numParallel: 2 });
  const lazy = generate(simulator, "a:1b", { options: { num_predict: 40_000 } });
  await lazy.response;
  const reader = await ask(simulator, "/api/generate", {
    model: "a:1b",
    prompt: "Hi",
    options: { num_predict: 100 },
  });
  expect(reader.lines).toHaveLength(101);
  lazy.abort();
});

test("closing ends what is open and leaves nothing behind", async () => {
  const simulator = await startSimulator({ models: ["a:1b"], tokensPerS: 10 });
  const { response, ended } = generate(simulator, "a:1b", endless);
  await response;
  await simulator.close();
  expect(await ended).toMatch(/terminated|done/);
  expect(simulator.stats()).toMatchObject({ active: 0, loaded: [] });
});
