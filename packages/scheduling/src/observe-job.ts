import type { InferenceResult } from "@forebay/queue-contracts";
import type { ModelSums } from "./model-costs.ts";

/** How much of what is known stays with each job: about the last fifty count. Loads are rare, and change less. */
export const keptPerJob = 0.98;
export const keptPerLoad = 0.8;

/** Ollama reports some milliseconds also for a model that was there. */
const loadMsMin = 100;

/** What a completed job says about its model. */
export function observeJob(promptChars: number, result: InferenceResult): ModelSums {
  const { prompt_eval_count: promptTokens, load_duration_ms: loadMs } = result;
  const loaded = loadMs >= loadMsMin ? { loads: 1, loadMs } : { loads: 0, loadMs: 0 };
  const prompt = { jobs: 1, promptChars, promptTokens };
  if (result.type === "embed") {
    const promptMs = Math.max(0, result.total_duration_ms - loadMs);
    return { ...prompt, promptMs, outputTokens: 0, outputMs: 0, ...loaded };
  }
  const { prompt_eval_duration_ms: promptMs, eval_count: outputTokens, eval_duration_ms: outputMs } = result;
  return { ...prompt, promptMs, outputTokens, outputMs, ...loaded };
}

/** What is known after an observation. The same is done in Redis, where several workers learn at once. */
export function learn(known: ModelSums, seen: ModelSums): ModelSums {
  const fields = Object.keys(seen) as (keyof ModelSums)[];
  const learned = fields.map((field) => [field, known[field] * keptOf(field, seen) + seen[field]]);
  return Object.fromEntries(learned) as ModelSums;
}

/** What stays of a sum when this is added. */
export function keptOf(field: keyof ModelSums, seen: ModelSums): number {
  if (field !== "loads" && field !== "loadMs") return keptPerJob;
  return seen.loads > 0 ? keptPerLoad : 1;
}
