import { laneSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { jobViewSchema } from "./job-view-schema.ts";

const limitSchema = z
  .object({ limit: z.int(), left: z.int().describe("After this job.") })
  .nullable()
  .describe("null: there is no such limit.");

/** What `POST /jobs?dry_run=true` answers: what would have happened. */
export const dryRunSchema = z
  .object({
    dry_run: z.literal(true),
    accepted: z.boolean().describe("Whether it would have been taken."),
    refusal: z
      .object({
        code: z.string(),
        status: z.int(),
        detail: z.string(),
        retry_after_s: z.int().nullable(),
      })
      .nullable()
      .describe("The first reason why not."),
    type: z.enum(["generate", "chat", "embed"]),
    model: z.string(),
    lane: laneSchema,
    estimate: z.object({
      prompt_tokens: z.int(),
      output_tokens: z
        .int()
        .describe("As long as answers of the model were of late, or as `num_predict` allows."),
      gpu_ms: z.int().describe("Milliseconds it is expected to hold a slot."),
    }),
    queue_position: jobViewSchema.shape.queue_position,
    waiting_for: jobViewSchema.shape.waiting_for,
    eta_s: jobViewSchema.shape.eta_s,
    eta_range_s: jobViewSchema.shape.eta_range_s,
    limits: z.object({
      open_jobs: z.int().describe("Jobs of the tenant that are not finished."),
      open_jobs_max: z.int(),
      running_jobs: z
        .int()
        .nullable()
        .describe("Jobs of the tenant that run; null: it is not limited how many."),
      running_jobs_max: z.int().nullable().describe("null: there is no such limit."),
      requests_per_min: limitSchema,
      tokens_per_min: limitSchema,
      tokens_per_day: limitSchema,
    }),
  })
  .meta({ id: "DryRun" });
export type DryRun = z.infer<typeof dryRunSchema>;
