import type { Outcome } from "@forebay/queue-bullmq";
import { type FailureCode, inferenceJobSchema } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { decideFallback } from "./decide-fallback.ts";

const jobWith = (fallbacks?: string[]) =>
  inferenceJobSchema.parse({
    v: 1,
    type: "generate",
    tenant: "acme",
    model: "a",
    request: { prompt: "Hello" },
    ...(fallbacks && { fallbacks }),
  });
const ended = (kind: "discard" | "retry", code: FailureCode): Outcome => ({
  kind,
  failure: { code, message: "It broke." },
});
const tries = (attemptsMade: number) => ({ attemptsMade, attemptsMax: 3 });

test.each([
  [["b", "c"], { model: "b", fallbacks: ["c"] }],
  [["b"], { model: "b", fallbacks: undefined }],
])("a model that failed for good gives way to the next of %j", (fallbacks, expected) => {
  const job = decideFallback(jobWith(fallbacks), ended("discard", "out_of_memory"), tries(0));
  expect({ model: job?.model, fallbacks: job?.fallbacks }).toEqual(expected);
});

test("while it has attempts left, it keeps its model", () => {
  expect(decideFallback(jobWith(["b"]), ended("retry", "backend_reset"), tries(1))).toBeUndefined();
  expect(decideFallback(jobWith(["b"]), ended("retry", "backend_reset"), tries(2))?.model).toBe("b");
});

test.each<[string, Outcome]>([
  ["a request that is wrong", ended("discard", "invalid_request")],
  ["one that crashes models", ended("discard", "poison_job")],
  ["a cancelled one", ended("discard", "cancelled")],
  ["one handed back", { kind: "interrupted" }],
])("%s is not given to another model", (_, outcome) => {
  expect(decideFallback(jobWith(["b"]), outcome, tries(2))).toBeUndefined();
});

test("without fallbacks a failure is the end", () => {
  expect(decideFallback(jobWith(), ended("discard", "model_not_found"), tries(2))).toBeUndefined();
});
