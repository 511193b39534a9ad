import { inferenceJobSchema, nameSchema } from "@forebay/queue-contracts";
import { z } from "zod";

/** A schedule's id; leads to nothing by itself, and cannot be guessed. */
export const scheduleIdSchema = z.string().regex(/^sch_[0-9a-z]{20}$/, { error: "is not a schedule id" });

/**
 * What happens to a run whose time passed while nobody could start it (timekeeper or Redis were away):
 * `skip` drops it, `catch_up` makes up for it once, however many were missed.
 */
export const missedPolicySchema = z.enum(["skip", "catch_up"]);

/** When a schedule runs: by calendar, in a time zone, or every so many milliseconds. */
export const rhythmSchema = z.union([
  z.object({ cron: z.string(), tz: z.string() }),
  z.object({ every_ms: z.int().min(1_000) }),
]);
export type Rhythm = z.infer<typeof rhythmSchema>;

/** A recurring job as it is stored: a Redis hash at `<prefix>:schedules`, field = id, value = this as JSON. */
export const scheduleSchema = z.object({
  v: z.literal(1),
  id: scheduleIdSchema,
  tenant: nameSchema,
  name: z.string(),
  rhythm: rhythmSchema,
  missed: missedPolicySchema,
  paused: z.boolean(),
  /** The job of every run; its `start_by` is set anew for each. */
  job: inferenceJobSchema,
  attempts: z.int().min(1).max(10),
  start_deadline_s: z.number().positive().optional(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** What became of the last time a schedule was due. */
export const lastRunSchema = z.object({
  due_at: z.iso.datetime(),
  at: z.iso.datetime(),
  outcome: z.enum(["started", "skipped", "by_hand"]),
  job_id: z.string().nullable(),
});
export type LastRun = z.infer<typeof lastRunSchema>;

/** BullMQ's queue of ticks: one delayed job per schedule that is not paused. */
export const scheduleQueueName = "{schedules}";
