import { describe, expect, test } from "vitest";
import {
  affinityKey,
  affinityOf,
  canonicalModelName,
  contextBucket,
  inferenceQueueName,
  queueTag,
} from "./affinity.ts";
import type { ModelOptions } from "./model-options.ts";

const queueOf = (model: string, options?: ModelOptions): string =>
  inferenceQueueName(affinityOf({ model, options }));

test.each([
  ["llama3.2", "llama3.2:latest"],
  ["llama3.2:3b", "llama3.2:3b"],
  ["Llama3.2:3B", "Llama3.2:3B"],
  ["library/qwen3", "library/qwen3:latest"],
  ["hf.co/bartowski/Llama-3.2-1B-GGUF:Q8_0", "hf.co/bartowski/Llama-3.2-1B-GGUF:Q8_0"],
  ["registry.local:5000/team/model", "registry.local:5000/team/model:latest"],
])("the full name of %s is %s", (model, full) => {
  expect(canonicalModelName(model)).toBe(full);
});

describe("a queue", () => {
  test("is shared by a model's names with and without tag, and by what does not reload the model", () => {
    const queue = queueOf("qwen3");
    expect(queueOf("qwen3:latest")).toBe(queue);
    expect(queueOf("qwen3", {})).toBe(queue);
    expect(queueOf("qwen3", { temperature: 0.3, seed: 7, stop: ["\n"], num_predict: 10 })).toBe(queue);
  });

  test("does not depend on the order of options", () => {
    expect(queueOf("qwen3", { num_ctx: 8192, num_gpu: 20 })).toBe(
      queueOf("qwen3", { num_gpu: 20, num_ctx: 8192 }),
    );
  });

  test("is another one for every model and every option that reloads it", () => {
    const runners: ModelOptions[] = [
      {},
      { num_ctx: 4096 },
      { num_ctx: 8192 },
      { num_ctx: 4096, num_batch: 512 },
      { num_batch: 4096 },
      { num_gpu: 0 },
      { num_gpu: -1 },
      { main_gpu: 0 },
      { use_mmap: true },
      { use_mmap: false },
      { num_thread: 8 },
      { draft_num_predict: 8 },
    ];
    const models = ["qwen3", "qwen3:8b", "Qwen3", "qwen/3", "qwen_3", "qwen-3", "user/qwen3"];
    const affinities = models.flatMap((model) => runners.map((options) => affinityOf({ model, options })));
    for (const name of [affinityKey, queueTag, inferenceQueueName]) {
      expect(new Set(affinities.map(name)).size).toBe(affinities.length);
    }
  });

  test("of 20,000 models keeps a tag of its own", () => {
    const tags = Array.from({ length: 20_000 }, (_, i) => queueTag(affinityOf({ model: `model-${i}` })));
    expect(new Set(tags).size).toBe(tags.length);
  });

  test.each(["llama3.2:3b", "registry.local:5000/team/model", "hf.co/a/b-GGUF:Q8_0@1", "m".repeat(200)])(
    "for %s has a name that BullMQ and Redis Cluster take: no colon, one hash tag around all of it",
    (model) => {
      expect(queueOf(model, { num_ctx: 8192 })).toMatch(/^\{infer\.[\w.-]{1,48}\.[0-9a-hjkmnp-tv-z]{8}\}$/);
    },
  );

  test("keeps the name it was given in 0.1: jobs wait under it while services are upgraded", () => {
    expect(queueOf("llama3.2:3b")).toBe("{infer.llama3.2_3b.5ygqyp49}");
    expect(affinityKey(affinityOf({ model: "llama3.2", options: { num_ctx: 8192, use_mmap: false } }))).toBe(
      "llama3.2:latest num_ctx=8192 use_mmap=false",
    );
  });
});

test.each([
  [1, 4_096],
  [4_096, 4_096],
  [4_097, 8_192],
  [32_768, 32_768],
  [40_000, 40_000],
])("a context of %i tokens goes into the bucket %i", (numCtx, bucket) => {
  expect(contextBucket(numCtx, [32_768, 4_096, 8_192])).toBe(bucket);
});

test("without buckets a context stays as it is", () => {
  expect(contextBucket(5_000, [])).toBe(5_000);
});
