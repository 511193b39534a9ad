import { expect, test } from "vitest";
import { slotsOfModel } from "./limit-running.ts";
import type { WorkerLease } from "./worker-registry.ts";

const lease = (worker: string, hosts: Record<string, { slots: number; models: string[] }>): WorkerLease => ({
  worker,
  started_at: "2026-01-01T00:00:00.000Z",
  finished_per_s: {},
  backends: Object.entries(hosts).map(([name, { slots, models }]) => ({
    name,
    slots,
    up: true,
    models: models.map((model) => ({ name: model, loaded: false })),
  })),
});

const leases = [
  lease("w-1", { a: { slots: 2, models: ["m", "n"] }, b: { slots: 1, models: ["m"] } }),
  lease("w-2", { a: { slots: 2, models: ["m", "n"] }, c: { slots: 4, models: ["n"] } }),
];

test.each([
  ["of every host that has the model, each host once", leases, "m", 3],
  ["of hosts of several workers", leases, "n", 6],
  ["of a model nobody has", leases, "o", 0],
  ["without workers", [], "m", 0],
])("slots %s", (_, announced, model, slots) => {
  expect(slotsOfModel(announced, model)).toBe(slots);
});
