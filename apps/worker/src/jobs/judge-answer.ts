import { type AnswerVerdict, checkAnswer } from "@forebay/answer-format";
import type { InferenceJob, InferenceResult } from "@forebay/queue-contracts";

/**
 * Whether an answer is what its job's `format` asked for; undefined: nothing was asked for. An answer cut by a limit
 * on its length is no mismatch: `done_reason` says so to the caller, who set the limit, and another try would be
 * cut as well. Nor is a tool call, made instead of an answer.
 */
export function judgeAnswer(
  job: InferenceJob,
  result: InferenceResult,
): AnswerVerdict | { kind: "unchecked" } | undefined {
  const format = job.type === "embed" ? undefined : job.request.format;
  if (format === undefined || result.type === "embed") return undefined;
  const calls = result.type === "chat" && (result.message.tool_calls?.length ?? 0) > 0;
  if (calls || result.done_reason === "length") return { kind: "unchecked" };
  return checkAnswer(format, answerText(result));
}

export function answerText(result: InferenceResult): string {
  if (result.type === "generate") return result.response;
  return result.type === "chat" ? result.message.content : "";
}
