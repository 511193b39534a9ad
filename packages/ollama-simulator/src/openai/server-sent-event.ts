import type { Metrics } from "../inference/inference-job.ts";

export const finalMarker = "data: [DONE]\n\n";

export function serverSentEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export function usageOf(metrics: Metrics | undefined) {
  const [prompt_tokens, completion_tokens] = [metrics?.promptTokens ?? 0, metrics?.tokens ?? 0];
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
