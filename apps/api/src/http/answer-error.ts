import { isRedisUnavailable } from "@forebay/queue-bullmq";
import type { ErrorHandler } from "hono";
import { backoffS } from "../admission/retry-after.ts";
import type { ApiEvents, ServedRequest } from "../events.ts";
import type { ApiEnv } from "./api-env.ts";
import { describe } from "./observe.ts";
import { Problem, problemResponse } from "./problem.ts";

/** Whatever a handler throws → an answer that tells the caller what to do, and a line in the log. */
export function answerError(events: ApiEvents): ErrorHandler<ApiEnv> {
  return (error, context) => {
    const problem = problemOf(error);
    const request = describe(context);
    tellProblem(events, problem, error, request);
    return problemResponse(problem, request.requestId);
  };
}

/** A refusal is an event, a fault is a line with its cause. */
export function tellProblem(
  events: ApiEvents,
  problem: Problem,
  error: unknown,
  request: ServedRequest,
): void {
  if (problem.code === "internal_error") events.requestFailed(error, request);
  else events.requestRefused(problem, request);
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isRedisUnavailable(error)) return queueUnavailable(error);
  return new Problem("internal_error", "Something went wrong here; tell the operator this request_id.");
}

/** @param jobId set when the job with this id may have been accepted all the same */
export function queueUnavailable(cause: unknown, jobId?: string): Problem {
  const detail =
    jobId === undefined
      ? "The queue does not answer; nothing was changed."
      : "The queue did not confirm the job: GET /jobs/{job_id} will tell whether it was accepted. To repeat the request safely, send an Idempotency-Key.";
  const extras = { retryAfterS: backoffS(2), ...(jobId !== undefined && { job_id: jobId }) };
  return new Problem("queue_unavailable", detail, extras, { cause });
}
