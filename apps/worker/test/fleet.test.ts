import { type Simulator, startSimulator } from "@forebay/ollama-simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Backend, openBackend } from "../src/backends/backend.ts";
import { createFleet, type Fleet } from "../src/backends/fleet.ts";

const model = "llama3.2:3b";
const resident = { affinity: model, model, runner: {} };

let stack: AsyncDisposableStack;
let simulator: Simulator;
let fleet: Fleet;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  simulator = stack.use(await startSimulator());
  fleet = createFleet((settings) => openBackend(settings, () => []));
  stack.defer(() => fleet.close());
});
afterEach(() => stack.disposeAsync());

const at = (name: string, url = simulator.url) => ({ name, url, slots: () => undefined });
const names = (): string[] => fleet.backends.map(({ name }) => name);
const found = (name: string): Backend => {
  const backend = fleet.backends.find((each) => each.name === name);
  if (!backend) throw new Error(`no ${name}`);
  return backend;
};
const answers = (backend: Backend): Promise<boolean> =>
  backend.client.get("/api/version", 5_000).then(
    () => true,
    () => false,
  );

test("a host that stays is kept as it is, with what is known of it", async () => {
  fleet.match([at("gpu-1"), at("gpu-2")]);
  const kept = found("gpu-1");
  await kept.refresh();
  fleet.match([at("gpu-3"), at("gpu-1")]);
  expect(names()).toEqual(["gpu-1", "gpu-3"]);
  expect(found("gpu-1")).toBe(kept);
  expect(kept.up).toBe(true);
});

test("a name that moved to another address is another host", () => {
  fleet.match([at("gpu-1")]);
  const before = found("gpu-1");
  fleet.match([at("gpu-1", "http://127.0.0.1:1")]);
  expect(names()).toEqual(["gpu-1"]);
  expect(found("gpu-1")).not.toBe(before);
});

test("a host that was taken away is closed after its last call, not before", async () => {
  fleet.match([at("gpu-1")]);
  const leaving = found("gpu-1");
  leaving.take(resident);
  fleet.match([]);
  expect(names()).toEqual([]);
  fleet.tidy();
  expect(await answers(leaving)).toBe(true);
  leaving.release(resident);
  fleet.tidy();
  expect(await answers(leaving)).toBe(false);
});

test("a model is served where a host has it that is up and not drained", async () => {
  fleet.match([at("gpu-1"), at("gpu-2", "http://127.0.0.1:1")]);
  expect(fleet.serves(model, Date.now())).toBe(false);
  await Promise.all(fleet.backends.map((backend) => backend.refresh()));
  expect(fleet.serves(model, Date.now())).toBe(true);
  expect(fleet.serves("nobody-has-it:latest", Date.now())).toBe(false);
  fleet.drain(new Set(["gpu-1"]));
  expect(fleet.serves(model, Date.now())).toBe(false);
  fleet.drain(new Set());
  expect(fleet.serves(model, Date.now())).toBe(true);
});
