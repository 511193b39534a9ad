import { expect, test } from "vitest";
import { delayOfWork, estimateStartMs, lengthOfLineMs } from "./estimate-start.ts";
import { modelCosts } from "./model-costs.ts";
import type { BackendState, QueueBacklog, Workload } from "./workload.ts";

const costs = { ...modelCosts(), loadMs: 3_000 };
const host = (name: string, models: Record<string, [slots: number, loaded: boolean]>): BackendState => ({
  name,
  models: Object.entries(models).map(([model, [slots, loaded]]) => ({ name: model, slots, loaded })),
});
const queue = (model: string, fields: Partial<QueueBacklog> = {}): QueueBacklog => ({
  name: `q-${model}`,
  model,
  waiting: 0,
  running: 0,
  workMs: (fields.waiting ?? 0) * 1_000,
  headTag: 0,
  tailTag: 100,
  ...fields,
});
const load = (queues: QueueBacklog[], backends: BackendState[]): Workload => ({
  queues,
  backends,
  costs: () => costs,
});
const place = (ahead: number, tag = 50) => ({ queueName: "q-a", model: "a", tag, ahead });
const placeB = (ahead: number) => ({ ...place(ahead), queueName: "q-b", model: "b" });
const costMs = costs.outputTokens * (costs.msPerOutputToken + costs.msPerPromptToken);
const one = host("one", { a: [2, true], b: [2, false] });

test.each<[string, ReturnType<typeof place>, Workload, number | undefined]>([
  ["nobody has the model", place(0), load([], [host("one", { b: [1, true] })]), undefined],
  ["a free slot takes it at once", place(0), load([queue("a", { running: 1 })], [one]), 0],
  ["what is before it, by the slots", place(8), load([queue("a", { waiting: 9 })], [one]), 4_000],
  [
    "two hosts are twice as fast",
    place(8),
    load([queue("a", { waiting: 9 })], [one, { ...one, name: "two" }]),
    2_000,
  ],
  ["a job that loads its model has started by then", { ...place(0), model: "b" }, load([], [one]), 0],
  [
    "behind others its model is loaded first",
    placeB(2),
    load([queue("b", { waiting: 3 })], [one]),
    1_000 + 3_000,
  ],
  [
    "half of a load is over when the job runs that loads",
    placeB(2),
    load([queue("b", { waiting: 3, running: 2 })], [one]),
    1_500 + 1_500,
  ],
  ["who came since the queues were read counts", place(9), load([queue("a", { waiting: 1 })], [one]), 4_500],
  [
    "the end of a line is behind all that wait",
    place(Infinity),
    load([queue("a", { waiting: 4 })], [one]),
    2_000,
  ],
  ["the end of none is its beginning", placeB(Infinity), load([], [one]), 0],
  ["also where nobody had been", place(9), load([], [one]), (9 * costMs) / 2],
  [
    "another model's jobs are passed over for what is loaded",
    place(2),
    load([queue("a", { waiting: 3 }), queue("b", { waiting: 10 })], [one]),
    1_000,
  ],
  [
    "what is loaded goes first, whatever its tags",
    { ...placeB(0), tag: 0 },
    load([queue("a", { waiting: 10 }), queue("b", { waiting: 1 })], [one]),
    5_000,
  ],
  [
    "what is being loaded goes first, and half of its load is over",
    place(0),
    load([queue("a", { waiting: 1 }), queue("b", { waiting: 4, running: 1 })], [one]),
    2_250 + 1_500,
  ],
  [
    "what another host has in memory is not being loaded on this one",
    place(0),
    load([queue("b", { running: 1 })], [one, host("two", { b: [1, true] })]),
    0,
  ],
  [
    "of two that are loaded the tags decide",
    place(0),
    load(
      [queue("a", { waiting: 1 }), queue("b", { waiting: 10 })],
      [host("one", { a: [2, true], b: [2, true] })],
    ),
    2_500,
  ],
  [
    "in a long line half of another model's jobs come before, and its load",
    place(200),
    load([queue("a", { waiting: 201 }), queue("b", { waiting: 100 })], [one]),
    100_000 + 25_000 + 3_000,
  ],
  [
    "what waits for other hosts does not stand in its way",
    place(0),
    load([queue("c", { waiting: 10 })], [one, host("other", { c: [1, true] })]),
    0,
  ],
])("%s", (_, at, workload, expected) => {
  expect(estimateStartMs(at, workload)).toBe(expected);
});

test("the line before a model's hosts is all the work for them, whoever it is for, without loads", () => {
  const busy = load([queue("a", { waiting: 10 }), queue("b", { waiting: 10 })], [one]);
  expect(lengthOfLineMs("a", busy)).toBe(10_000);
  expect(lengthOfLineMs("b", load([], [one]))).toBe(0);
  expect(lengthOfLineMs("c", busy)).toBeUndefined();
});

test.each<[string, Parameters<typeof delayOfWork>, number]>([
  ["its own, on two slots", ["a", "a", load([], [one])], 0.5],
  ["another one's on the same host", ["b", "a", load([], [one])], 0.5],
  [
    "half of another one's, which has a host of its own as well",
    ["b", "a", load([], [one, host("two", { b: [2, true] })])],
    0.25,
  ],
  ["another one's elsewhere", ["c", "a", load([], [one, host("other", { c: [1, true] })])], 0],
  ["nobody's, where nobody is up", ["a", "a", load([], [])], 0],
])("a line gets longer by work: %s", (_, of, delay) => {
  expect(delayOfWork(...of)).toBe(delay);
});
