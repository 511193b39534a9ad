import type { JobResult } from "./job-view.ts";

/** The text of an answer; "" for one that has none (tool calls, embeddings). */
export function answerText(result: JobResult | null): string {
  if (result === null || "embeddings" in result) return "";
  return "message" in result ? result.message.content : result.response;
}
