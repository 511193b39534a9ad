import type { InferenceResult, Usage } from "@forebay/queue-contracts";

/** A result that cost what other calls and earlier starts of its job cost, too. */
export function addUsage(result: InferenceResult, spent: Partial<Usage>): InferenceResult {
  const { usage } = result;
  return {
    ...result,
    usage: {
      prompt_tokens: usage.prompt_tokens + (spent.prompt_tokens ?? 0),
      completion_tokens: usage.completion_tokens + (spent.completion_tokens ?? 0),
      total_tokens: usage.total_tokens + (spent.total_tokens ?? 0),
      gpu_ms: usage.gpu_ms + (spent.gpu_ms ?? 0),
    },
  };
}
