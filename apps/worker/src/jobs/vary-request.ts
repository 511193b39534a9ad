import type { InferenceJob, StartRecord } from "@forebay/queue-contracts";

/** Failures that come from what the model happened to write: the same seed would write it again. */
const samplingFailures = new Set([
  "truncated_answer",
  "empty_answer",
  "invalid_tool_call",
  "schema_mismatch",
]);

/** Ollama's default: another seed each time. */
const randomSeed = -1;

/**
 * The job as it is sent on a retry. After a failure of sampling another seed and a slightly higher
 * repeat_penalty lead the model elsewhere; any other retry sends the very same request.
 */
export function varyRequest(job: InferenceJob, earlier: readonly StartRecord[]): InferenceJob {
  const unlucky = earlier.filter(
    (start) => start.code !== undefined && samplingFailures.has(start.code),
  ).length;
  if (unlucky === 0 || job.type === "embed") return job;
  const { options } = job.request;
  const seed = options?.seed ?? randomSeed;
  const varied = {
    ...options,
    seed: seed < 0 ? randomSeed : seed + unlucky,
    repeat_penalty: Math.max(options?.repeat_penalty ?? 1, 1) + 0.1 * unlucky,
  };
  // Spread per type: the union's members differ in `request`.
  return job.type === "chat"
    ? { ...job, request: { ...job.request, options: varied } }
    : { ...job, request: { ...job.request, options: varied } };
}
