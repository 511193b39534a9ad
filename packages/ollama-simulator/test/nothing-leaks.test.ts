import { expect, test } from "vitest";
import { type Simulator, startSimulator } from "../src/index.ts";
import { createSeededRandom } from "../src/text/seeded-random.ts";
import { ask, until } from "./ask.ts";

const models = ["a:1b", "b:1b", "c:1b", "nomic-embed-text:latest"];
const faults = [
  "reset",
  "no_done",
  "in_band_error",
  "garbage",
  "terminated",
  "runner_crash",
  "load_error",
  "503",
] as const;

/** A request of any kind, whose client may leave at any moment; never rejects. */
async function meddle(simulator: Simulator, seed: number): Promise<void> {
  const random = createSeededRandom(seed);
  const model = random.pick(["a:1b", ...models]);
  const embedding = model.startsWith("nomic");
  const leaves = random.next() < 0.4;
  const options = { num_predict: random.between(0, 30), num_ctx: random.pick([1024, 2048]) };
  const prompt = leaves ? "I may leave" : "I stay";
  const body = { model, prompt, input: [prompt, "b"], stream: random.next() < 0.7, options };
  const signal = leaves ? AbortSignal.timeout(random.between(0, 40)) : null;
  try {
    const url = `${simulator.url}/api/${embedding ? "embed" : "generate"}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal });
    await response.text();
  } catch {
    // Broken on purpose.
  }
}

test("whatever breaks and whoever leaves, every slot and every model comes back", async () => {
  await using simulator = await startSimulator({
    models,
    maxLoaded: 2,
    numParallel: 2,
    maxQueue: 20,
    tokensPerS: 2_000,
    loadMs: 2,
    unloadMs: 1,
  });
  simulator.setFault(faults.map((kind, seed) => ({ kind, probability: 0.05, seed })));
  // Only a client makes an end of this one.
  simulator.setFault({ kind: "hang", probability: 0.3, match_prompt: "I may leave" });
  await Promise.all(Array.from({ length: 300 }, (_, seed) => meddle(simulator, seed)));
  const { stats } = simulator;
  await until(() => stats().active + stats().waiting + stats().pending === 0 && stats().loading === null);
  const { requests, completed, failed, aborted } = stats();
  expect(completed + failed + aborted).toBe(requests);
  expect(Math.min(completed, failed)).toBeGreaterThan(0);

  simulator.clearFaults();
  for (const model of models.slice(0, 3)) await ask(simulator, "/api/generate", { model, keep_alive: 0 });
  await ask(simulator, "/api/embed", { model: "nomic-embed-text", input: [], keep_alive: 0 });
  expect(simulator.stats().loaded).toEqual([]);
});

test.each([
  [
    "NUL and unpaired surrogates",
    '{"model":"a:1b","prompt":"\\u0000\\ud800","options":{"num_predict":1}}',
    200,
  ],
  [
    "an absurd num_predict",
    '{"model":"a:1b","prompt":"Hi","stream":false,"options":{"num_predict":1000000000,"num_ctx":64}}',
    200,
  ],
  ["an absurd num_ctx", '{"model":"a:1b","prompt":"Hi","options":{"num_ctx":1e300,"num_predict":1}}', 200],
  [
    "10 MB of prompt",
    JSON.stringify({ model: "a:1b", prompt: "word ".repeat(2_000_000), options: { num_predict: 1 } }),
    200,
  ],
  ["JSON a hundred deep", `{"model":"a:1b","prompt":"Hi","x":${"[".repeat(100)}${"]".repeat(100)}}`, 200],
  ["JSON too deep to read", `{"model":"a:1b","x":${"[".repeat(200_000)}`, 400],
])("%s is survived", async (_title, body, status) => {
  await using simulator = await startSimulator({ models: ["a:1b"] });
  expect((await ask(simulator, "/api/generate", body)).status).toBe(status);
  expect((await ask(simulator, "/api/generate", { model: "a:1b", prompt: "Hi" })).status).toBe(200);
});
