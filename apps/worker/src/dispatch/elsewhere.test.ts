import type { WorkerLease } from "@forebay/queue-bullmq";
import { beforeEach, expect, test } from "vitest";
import { createElsewhere, type Elsewhere } from "./elsewhere.ts";

const own = new Set(["mine"]);
const lease = (worker: string, backend: Partial<WorkerLease["backends"][number]>): WorkerLease => ({
  worker,
  started_at: "2026-01-01T00:00:00.000Z",
  finished_per_s: {},
  backends: [{ name: "theirs", up: true, slots: 2, models: [], ...backend }],
});
const notice = { worker: "w-2", backend: "theirs", affinity: "a", slots: 1, loading: true };

let elsewhere: Elsewhere;
beforeEach(() => {
  elsewhere = createElsewhere();
});

test("slots of others' backends count where the model is in memory, each backend once", () => {
  const leases = [lease("w-2", { loaded: ["a", "b"] }), lease("w-3", { loaded: ["a"] })];
  elsewhere.saw(leases, "w-1", own, 0);
  expect([elsewhere.slots("a", 0), elsewhere.slots("c", 0)]).toEqual([2, 0]);
});

test.each([
  ["its own", lease("w-1", { loaded: ["a"] })],
  ["one that feeds its own backend too", lease("w-2", { name: "mine", loaded: ["a"] })],
  ["a backend that is down", lease("w-2", { up: false, loaded: ["a"] })],
  ["a backend that is drained", lease("w-2", { draining: true, loaded: ["a"] })],
])("nothing is expected of %s", (_, seen) => {
  elsewhere.saw([seen], "w-1", own, 0);
  expect(elsewhere.slots("a", 0)).toBe(0);
});

test("a load that another worker tells of counts at once, until it is done or was told of too long ago", () => {
  elsewhere.heard(notice, own, 0);
  expect([elsewhere.slots("a", 29_999), elsewhere.slots("a", 30_000)]).toEqual([1, 0]);
  elsewhere.heard(notice, own, 40_000);
  elsewhere.heard({ ...notice, loading: false }, own, 41_000);
  expect(elsewhere.slots("a", 41_000)).toBe(0);
});

test("a load on a backend both feed keeps this worker off it, as long as the registry repeats it", () => {
  elsewhere.heard({ ...notice, backend: "mine" }, own, 0);
  elsewhere.saw([lease("w-2", { name: "mine", loading: "a" })], "w-1", own, 20_000);
  expect([elsewhere.loadingOn("mine", 45_000), elsewhere.loadingOn("mine", 50_000)]).toEqual([
    "a",
    undefined,
  ]);
  expect(elsewhere.loadingOn("theirs", 45_000)).toBeUndefined();
});
