import { inferenceJobSchema } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { patchPayload } from "./patch-payload.ts";

const payload = inferenceJobSchema.parse({
  v: 1,
  type: "generate",
  tenant: "acme",
  model: "llama3.2:3b",
  metadata: { order: "7" },
  request: { prompt: "hello", options: { seed: 1, num_ctx: 2048 } },
});

test("without a patch the payload stays as it is", () => {
  expect(patchPayload(payload, undefined)).toEqual(payload);
});

test("a model replaces the model and nothing else", () => {
  expect(patchPayload(payload, { model: "qwen3:8b" })).toEqual({ ...payload, model: "qwen3:8b" });
});

test("options go on top of the job's own", () => {
  const patched = patchPayload(payload, { options: { num_ctx: 8192, top_k: 1 } });
  expect(patched?.request.options).toEqual({ seed: 1, num_ctx: 8192, top_k: 1 });
  expect(patched?.model).toBe("llama3.2:3b");
});

test("options reach a job that had none", () => {
  const bare = { ...payload, request: { prompt: "hello" } };
  expect(patchPayload(bare, { options: { seed: 2 } })?.request.options).toEqual({ seed: 2 });
});

test.each([["text"], [null], [{ v: 2, type: "generate" }], [{ ...payload, extra: true }]])(
  "what a worker could not read is not patched into something it could: %j",
  (broken) => {
    expect(patchPayload(broken, { model: "qwen3:8b" })).toBeUndefined();
  },
);
