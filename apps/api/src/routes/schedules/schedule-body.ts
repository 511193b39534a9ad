import { missedPolicySchema } from "@forebay/queue-bullmq";
import { nameSchema } from "@forebay/queue-contracts";
import { z } from "zod";

const fields = {
  name: nameSchema.describe("For people; need not be unique."),
  cron: z
    .string()
    .max(200)
    .optional()
    .describe("Cron expression of 5 fields, or 6 with seconds in front. Either this or `every_ms`."),
  tz: z.string().max(64).optional().describe("IANA time zone the cron expression is read in. Default UTC."),
  every_ms: z
    .int()
    .min(1_000)
    .max(366 * 24 * 3_600_000)
    .optional()
    .describe("Run every so many milliseconds, at multiples of it since 1970."),
  missed: missedPolicySchema
    .optional()
    .describe(
      "A run over a minute late, because the stack was down: `skip` (default) drops it, `catch_up` makes up for it once.",
    ),
  paused: z.boolean().optional().describe("Keeps the schedule without running it."),
  job: z
    .record(z.string(), z.unknown())
    .describe("Body of `POST /jobs` for each run, without `run_at`, `delay_ms` and `idempotency_key`."),
};

/** Body of `POST /schedules`. */
export const createScheduleSchema = z.strictObject(fields).meta({ id: "NewSchedule" });
/** Body of `PATCH /schedules/{id}`: what is given is changed. */
export const patchScheduleSchema = z.strictObject(fields).partial().meta({ id: "SchedulePatch" });
export type ScheduleBody = z.infer<typeof patchScheduleSchema>;
