import type { FailureCode, InferenceJob } from "@forebay/queue-contracts";
import type { Outcome } from "@forebay/queue-bullmq";

/** Failures that are the model's or its host's: with another model the same request may well succeed. */
const fallbackCodes: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "model_not_found",
  "model_load_stalled",
  "out_of_memory",
  "runner_crashed",
  "backend_overloaded",
  "backend_reset",
  "backend_stuck",
  "backend_unauthorized",
  "backend_misconfigured",
  "schema_mismatch",
  "invalid_tool_call",
  "truncated_answer",
]);

/** The job as it goes on with its next model, if its failure was for good and it has one; otherwise undefined. */
export function decideFallback(
  job: InferenceJob,
  outcome: Outcome,
  tries: { attemptsMade: number; attemptsMax: number },
): InferenceJob | undefined {
  const last = outcome.kind === "retry" && tries.attemptsMade + 1 >= tries.attemptsMax;
  if (outcome.kind !== "discard" && !(outcome.kind === "retry" && last)) return undefined;
  const [model, ...rest] = job.fallbacks ?? [];
  if (model === undefined || !fallbackCodes.has(outcome.failure.code)) return undefined;
  const { fallbacks: _, ...same } = job;
  return { ...same, model, ...(rest.length > 0 && { fallbacks: rest }) };
}
