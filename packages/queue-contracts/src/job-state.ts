import { z } from "zod";
import type { FailureCode } from "./failure.ts";

/**
 * Where a job is. The last five are final: `completed` has a result, the others have an error.
 * `expired` never reached a GPU; `timed_out` ran too long.
 */
export const jobStateSchema = z.enum([
  "waiting",
  "delayed",
  "active",
  "completed",
  "failed",
  "cancelled",
  "expired",
  "timed_out",
]);
export type JobState = z.infer<typeof jobStateSchema>;

export function isFinalState(state: JobState): boolean {
  return state !== "waiting" && state !== "delayed" && state !== "active";
}

/** BullMQ knows one kind of failed; the code says which of ours it is. */
export function stateOfFailure(code: FailureCode): JobState {
  return code === "cancelled" || code === "expired" || code === "timed_out" ? code : "failed";
}

/** One time a worker picked the job up, and how that ended. No `ended_at`: still running, or its worker died. */
export const startRecordSchema = z.object({
  at: z.iso.datetime().describe("When the worker picked the job up, by the worker's clock."),
  worker: z.string(),
  backend: z.string().optional().describe("Name of the Ollama host, once one was chosen."),
  ended_at: z.iso.datetime().optional().describe("Absent: still running, or its worker died."),
  outcome: z
    .enum(["completed", "retry", "discard", "interrupted", "throttled", "moved"])
    .optional()
    .describe(
      "`interrupted` and `throttled` spend no attempt; `moved`: it failed for good with this model and goes on with another.",
    ),
  code: z.string().optional().describe("Failure code of this start."),
  message: z.string().optional(),
  gpu_ms: z.number().optional().describe("Milliseconds a slot was held."),
});
export type StartRecord = z.infer<typeof startRecordSchema>;
