import {
  chatResultSchema,
  embedResultSchema,
  failureCodeSchema,
  generateResultSchema,
  jobIdSchema,
  jobStateSchema,
  laneSchema,
  metadataSchema,
  usageSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";

const time = z.iso.datetime();
const inner = { v: true, type: true, backend: true, usage: true } as const;

const timelineEntrySchema = z.object({
  at: time,
  state: jobStateSchema,
  backend: z.string().optional().describe("The Ollama host that worked on it, with state `active`."),
});

const errorViewSchema = z.object({
  code: failureCodeSchema,
  message: z.string(),
  retryable: z.boolean().describe("Whether the same job, put again later, may well succeed."),
  attempts: z
    .array(z.object({ at: time, code: z.string(), message: z.string() }))
    .describe("Every try that failed and counted."),
});

const resultViewSchema = z.union([
  generateResultSchema.omit(inner),
  chatResultSchema.omit(inner),
  embedResultSchema.omit(inner),
]);

/** What `GET /jobs/{id}` and most other answers show of a job. */
export const jobViewSchema = z
  .object({
    job_id: jobIdSchema,
    state: jobStateSchema,
    type: z.enum(["generate", "chat", "embed"]).nullable().describe("null: the payload does not parse."),
    model: z.string().nullable(),
    lane: laneSchema.nullable(),
    created_at: time,
    started_at: time.nullable().describe("When a worker last picked it up."),
    finished_at: time.nullable(),
    queue_position: z
      .int()
      .nullable()
      .describe(
        "Jobs that would run before it on its model's queue, while it waits; 0: it is next. null also while it waits for something else than its turn.",
      ),
    waiting_for: z
      .enum(["running_limit"])
      .nullable()
      .describe(
        "What a waiting job waits for besides its turn. `running_limit`: its tenant runs as many jobs as it may, and one of them has to end. null: its turn.",
      ),
    run_at: time.nullable().describe("When a job that was submitted for later may begin."),
    eta_s: z
      .number()
      .nullable()
      .describe(
        "Seconds until it is expected to start, while it waits; null: nobody can tell, also because its tenant has more jobs open than may run at once.",
      ),
    eta_range_s: z
      .array(z.number())
      .length(2)
      .nullable()
      .describe("Between these the start lies four times of five."),
    progress: z.object({
      tokens: z.int().describe("Tokens of the answer so far."),
      percent: z.number().nullable(),
    }),
    attempts_made: z.int(),
    attempts_max: z.int(),
    timeline: z.array(timelineEntrySchema).describe("Where it has been, oldest first."),
    result: resultViewSchema.nullable().describe("Once completed. null for readers who may not see it."),
    usage: usageSchema.nullable(),
    error: errorViewSchema.nullable().describe("Once it ended without a result."),
    metadata: metadataSchema,
    links: z.object({ self: z.string(), events: z.string(), cancel: z.string() }),
  })
  .meta({ id: "Job" });
export type JobView = z.infer<typeof jobViewSchema>;
export type ErrorView = z.infer<typeof errorViewSchema>;
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;
export type ResultView = z.infer<typeof resultViewSchema>;

/** A job in a list: everything but its result, which may be large. */
export const jobSummarySchema = jobViewSchema.omit({ result: true }).meta({ id: "JobSummary" });
export type JobSummary = z.infer<typeof jobSummarySchema>;
