import { InvalidRhythmError, nextRuns, type Rhythm, type Schedule } from "@forebay/queue-bullmq";
import type { Caller } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import { parseSubmission } from "../jobs/parse-submission.ts";
import { nameServed } from "../../models/name-served.ts";
import { resolveJob } from "../jobs/resolve-job.ts";
import type { ScheduleBody } from "./schedule-body.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** Fields of a job that say when or whether to run it: that is the schedule's business. */
const notInSchedules = ["run_at", "delay_ms", "idempotency_key"] as const;

/** The rhythm a body asks for; undefined: it says nothing about it. Throws Problem. */
export function resolveRhythm(body: ScheduleBody): Rhythm | undefined {
  const { cron, tz, every_ms } = body;
  if (cron !== undefined && every_ms !== undefined)
    throw refuse("every_ms", "cannot be given together with cron");
  if (tz !== undefined && cron === undefined) throw refuse("tz", "means something only together with cron");
  if (cron === undefined && every_ms === undefined) return undefined;
  const rhythm = every_ms === undefined ? { cron: cron ?? "", tz: tz ?? "UTC" } : { every_ms };
  try {
    nextRuns(rhythm, new Date(), 1);
    return rhythm;
  } catch (error) {
    if (error instanceof InvalidRhythmError) throw refuse(error.field, error.message, error);
    throw error;
  }
}

/** The job of every run. Throws Problem, with paths below `job`. */
export async function resolveTemplate(
  deps: ScheduleDeps,
  caller: Caller,
  job: unknown,
): Promise<Pick<Schedule, "job" | "attempts" | "start_deadline_s">> {
  if (typeof job === "object" && job !== null) {
    for (const field of notInSchedules) {
      if (field in job) throw refuse(`job.${field}`, "has no meaning in a schedule");
    }
  }
  const submission = belowJob(() => parseSubmission(job));
  const named = belowJob(() => resolveJob(submission, caller, undefined, deps.jobs));
  const resolved = belowJob(() => nameServed(deps.jobs.names, caller, named));
  await deps.models.require(resolved.model);
  return {
    job: resolved,
    attempts: submission.attempts ?? deps.policy.attempts,
    ...(submission.start_deadline_s !== undefined && { start_deadline_s: submission.start_deadline_s }),
  };
}

export function refuse(path: string, message: string, cause?: unknown): Problem {
  return new Problem("invalid_body", `${path} ${message}.`, { errors: [{ path, message }] }, { cause });
}

/** What is wrong with the job is said where it stands in the schedule. */
function belowJob<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Problem) || !error.extras.errors) throw error;
    const errors = error.extras.errors.map(({ path, message }) => ({ path: `job.${path}`, message }));
    throw new Problem(error.code, `job: ${error.message}`, { ...error.extras, errors }, { cause: error });
  }
}
