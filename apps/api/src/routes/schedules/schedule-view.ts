import {
  type LastRun,
  lastRunSchema,
  missedPolicySchema,
  nextRuns,
  type Schedule,
  scheduleIdSchema,
} from "@forebay/queue-bullmq";
import { z } from "zod";

const nextRunsShown = 3;
const time = z.iso.datetime();

export const scheduleViewSchema = z
  .object({
    schedule_id: scheduleIdSchema,
    name: z.string(),
    cron: z.string().nullable(),
    tz: z.string().nullable(),
    every_ms: z.int().nullable(),
    missed: missedPolicySchema,
    paused: z.boolean(),
    next_runs: z.array(time).describe("The next three times; empty while paused."),
    last_run: lastRunSchema
      .nullable()
      .describe("The last time it was due or run by hand, and the job that was made."),
    job: z.record(z.string(), z.unknown()).describe("The job of every run, as it was understood."),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: "Schedule" });
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

export function scheduleView(schedule: Schedule, lastRun: LastRun | undefined, now: Date): ScheduleView {
  const { id, rhythm, paused, job } = schedule;
  const { v: _, tenant: __, request, ...envelope } = job;
  const next = paused ? [] : nextRuns(rhythm, now, nextRunsShown);
  return {
    schedule_id: id,
    name: schedule.name,
    cron: "cron" in rhythm ? rhythm.cron : null,
    tz: "cron" in rhythm ? rhythm.tz : null,
    every_ms: "every_ms" in rhythm ? rhythm.every_ms : null,
    missed: schedule.missed,
    paused,
    next_runs: next.map((each) => each.toISOString()),
    last_run: lastRun ?? null,
    job: {
      ...envelope,
      ...request,
      attempts: schedule.attempts,
      start_deadline_s: schedule.start_deadline_s,
    },
    created_at: schedule.created_at,
    updated_at: schedule.updated_at,
  };
}
