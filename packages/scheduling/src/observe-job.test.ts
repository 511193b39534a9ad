import { inferenceResultSchema } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { modelCosts, priorSums } from "./model-costs.ts";
import { learn, observeJob } from "./observe-job.ts";

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150, gpu_ms: 900 };
const common = { v: 1, model: "m", backend: "gpu-1", usage, prompt_eval_count: 100 };
const answer = inferenceResultSchema.parse({
  ...common,
  type: "generate",
  total_duration_ms: 700,
  load_duration_ms: 20,
  done_reason: "stop",
  eval_count: 50,
  prompt_eval_duration_ms: 100,
  eval_duration_ms: 500,
  response: "",
});

test("a model that behaves always the same is known after some hundred jobs", () => {
  let sums = priorSums;
  for (let job = 0; job < 400; job++) sums = learn(sums, observeJob(300, answer));
  const { charsPerToken, msPerPromptToken, msPerOutputToken, outputTokens } = modelCosts(sums);
  expect(charsPerToken).toBeCloseTo(3, 1);
  expect(msPerPromptToken).toBeCloseTo(1, 2);
  expect(msPerOutputToken).toBeCloseTo(10, 1);
  expect(outputTokens).toBeCloseTo(50, 0);
});

test("only loads say how long a load takes", () => {
  const loaded = { ...answer, load_duration_ms: 9_000 };
  let sums = learn(priorSums, observeJob(300, answer));
  expect(modelCosts(sums).loadMs).toBe(modelCosts().loadMs);
  for (let load = 0; load < 20; load++) sums = learn(sums, observeJob(300, loaded));
  expect(modelCosts(sums).loadMs).toBeGreaterThan(8_800);
});

test("a model that only embeds has rates of its own, and no division by nothing", () => {
  const vectors = inferenceResultSchema.parse({
    ...common,
    type: "embed",
    total_duration_ms: 50,
    load_duration_ms: 0,
    embeddings: [[1]],
  });
  let sums = priorSums;
  for (let job = 0; job < 3_000; job++) sums = learn(sums, observeJob(400, vectors));
  expect(modelCosts(sums).msPerPromptToken).toBeCloseTo(0.5, 2);
  expect(modelCosts(sums).msPerOutputToken).toBeGreaterThan(0);
  expect(modelCosts(sums).outputTokens).toBeCloseTo(0, 3);
});
