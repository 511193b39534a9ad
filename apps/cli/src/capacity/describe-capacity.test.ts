import type { BackendCapacity, Capacity, ModelCapacity } from "@forebay/client";
import { expect, test } from "vitest";
import { describeCapacity } from "./describe-capacity.ts";

const onHost = (name: string, rest: Partial<BackendCapacity["models"][number]> = {}) => {
  return { name, loaded: false, slots: 2, busy: 0, out: false, ...rest };
};
const host = (name: string, rest: Partial<BackendCapacity> = {}): BackendCapacity => {
  const always = { up: true, draining: false, version: "0.12.3", workers: ["w"], loaded: [], loading: null };
  return { name, ...always, models: [onHost("a:1b")], ...rest };
};
const line = (name: string, rest: Partial<ModelCapacity> = {}): ModelCapacity => {
  const counts = { waiting: 0, held: 0, active: 0, delayed: 0, oldest_waiting_s: 0, work_s: 0, eta_s: 0 };
  return { name, paused: false, slots: 2, ...counts, ...rest };
};
const linesOf = (capacity: Partial<Capacity>): string[] =>
  describeCapacity({ workers: 1, backends: [], models: [], ...capacity })
    .split("\n")
    .map((each) => each.replace(/ {2,}/g, " | "));

test("each host is named once, with a line for each of its models", () => {
  const models = [
    onHost("b:1b", { out: true }),
    onHost("a:1b", { loaded: true, busy: 1 }),
    onHost("c:1b"),
    onHost("c:1b-x"),
  ];
  expect(linesOf({ backends: [host("gpu-1", { models, loading: "c:1b num_ctx=8192" })] })).toEqual([
    "HOST | STATE | OLLAMA | MODEL | MEMORY | SLOTS | BUSY",
    "gpu-1 | up | 0.12.3 | a:1b | loaded | 2 | 1",
    " | b:1b | out | 2 | 0",
    " | c:1b | loading | 2 | 0",
    " | c:1b-x | - | 2 | 0",
    "",
  ]);
});

test.each([
  ["up", {}],
  ["down", { up: false }],
  ["down, drained", { up: false, draining: true }],
  ["drained", { draining: true }],
  ["draining", { draining: true, models: [onHost("a:1b"), onHost("b:1b", { busy: 1 })] }],
])("a host is %s", (state, rest) => {
  expect(linesOf({ backends: [host("gpu-1", rest)] })[1]).toContain(`gpu-1 | ${state} | `);
});

test("a host without a model is listed all the same", () => {
  expect(linesOf({ backends: [host("gpu-1", { models: [], version: null })] })[1]).toBe(
    "gpu-1 | up | unknown | none",
  );
});

test.each([
  ["a:1b | open | 2 | 1 | 0 | 3 | - | - | at once", { active: 1, delayed: 3 }],
  [
    "a:1b | open | 2 | 2 | 9 | 0 | 12 s | 5 min 00 s | in 2 min 30 s",
    { active: 2, waiting: 9, oldest_waiting_s: 12, work_s: 300, eta_s: 150 },
  ],
  [
    "a:1b | open | 2 | 1 | 9 (8 held) | 0 | 12 s | 2.0 s | at once",
    { active: 1, waiting: 9, held: 8, oldest_waiting_s: 12, work_s: 2 },
  ],
  [
    "a:1b | paused | 0 | 0 | 1 | 0 | 4.0 s | 2.0 s | when resumed",
    { paused: true, slots: 0, waiting: 1, oldest_waiting_s: 4, work_s: 2, eta_s: null },
  ],
  ["a:1b | open | 0 | 0 | 0 | 0 | - | - | unknown", { slots: 0, eta_s: null }],
])("what waits for a model: %s", (expected, rest) => {
  expect(linesOf({ backends: [host("gpu-1")], models: [line("a:1b", rest)] }).slice(3)).toEqual([
    "MODEL | STATE | SLOTS | RUNNING | WAITING | DELAYED | OLDEST | WORK | STARTS",
    expected,
    "",
  ]);
});

test("without a worker it says that jobs wait", () => {
  expect(linesOf({ workers: 0, models: [line("a:1b", { eta_s: null })] })[0]).toBe(
    "No worker is alive: jobs wait.",
  );
});
