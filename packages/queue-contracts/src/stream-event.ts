import { z } from "zod";
import { failureSchema } from "./failure.ts";
import { jsonValueSchema } from "./json-value.ts";
import { jobStateSchema } from "./job-state.ts";

const seq = z.int().min(1).describe("Rises by one from 1 within a job.");

/**
 * What happens to a job, in order; `seq` rises by one from 1 within a job, over all its attempts. Texts of `token` events since the
 * last `restart`, put together, are exactly the text of the result.
 */
export const streamEventSchema = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("state"),
    seq,
    state: jobStateSchema,
    at: z.iso.datetime(),
    attempt: z.int().min(1).optional(),
    model: z.string().optional().describe("The job goes on with this model, its first fallback."),
  }),
  z
    .object({
      event: z.literal("progress"),
      seq,
      tokens: z.int().min(0).describe("Tokens of the answer so far, counted anew in each attempt."),
    })
    .describe("About every second while an answer is made, also where its tokens are not kept."),
  z.object({
    event: z.literal("token"),
    seq,
    text: z.string().optional(),
    thinking: z.string().optional(),
    tool_calls: z.array(jsonValueSchema).optional(),
  }),
  z
    .object({ event: z.literal("restart"), seq, attempt: z.int().min(1) })
    .describe("A new attempt begins after partial output: drop what came before."),
  z.object({ event: z.literal("completed"), seq }),
  z.object({
    event: z.enum(["failed", "cancelled", "expired", "timed_out"]),
    seq,
    error: failureSchema,
  }),
]);
export type StreamEvent = z.infer<typeof streamEventSchema>;
