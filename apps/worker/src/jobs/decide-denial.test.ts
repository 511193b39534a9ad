import type { StartRecord } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { decideDenial } from "./decide-denial.ts";

const started = (backend: string, code: StartRecord["code"] = "model_not_found"): StartRecord => {
  return { at: "2026-01-01T00:00:00.000Z", worker: "w", backend, code };
};
const [free, aside, discard] = [
  { disposition: "free", breaker: "none" },
  { disposition: "free", breaker: "model" },
  { disposition: "discard", breaker: "none" },
] as const;

test.each([
  ["the only host, the first time: it waits", [], [], false, free],
  ["the only host, twice before: it fails", [], ["a", "a"], false, discard],
  ["the only host, and another model may stand in: it goes on at once", [], [], true, discard],
  ["another host lists it: it goes there, and this one is left alone", ["b"], ["a", "a", "a"], false, aside],
  ["another host lists it, and another model may stand in: first the host", ["b"], [], true, aside],
  ["another host denied it twice as well: this one is waited for", ["b"], ["b", "b", "a"], false, free],
  ["all hosts denied it twice: it fails", ["b"], ["b", "b", "a", "a"], false, discard],
])("%s", (_, others, denied, hasFallback, expected) => {
  const earlier = [started("a", "backend_reset"), ...denied.map((backend) => started(backend))];
  expect(decideDenial({ by: "a", others, earlier, hasFallback })).toEqual(expected);
});
