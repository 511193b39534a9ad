import { z } from "zod";
import { jobIdSchema } from "./job-id.ts";
import { textSchema } from "./text.ts";

/**
 * What a job of OpenAI's responses API must know to be shown as such, and what its request does not say. Everything
 * else a response tells is read from the job: its messages, options, tools, format, metadata and lane.
 */
export const responseNoteSchema = z.strictObject({
  input: z
    .int()
    .min(1)
    .describe(
      "How many of the last messages are the response's own input; those before are what it follows.",
    ),
  instructions: z
    .literal(true)
    .optional()
    .describe("The first message is the instructions, which a response that follows does not take over."),
  previous: jobIdSchema.optional().describe("The job of the response it follows."),
  background: z.literal(true).optional().describe("Nobody waits for it: it may be cancelled by its id."),
  store: z.literal(false).optional().describe("It is not to be read or followed by its id."),
  format: z
    .strictObject({
      name: textSchema.max(64),
      description: textSchema.max(1_024).optional(),
      strict: z.boolean().optional(),
    })
    .optional()
    .describe("What the JSON Schema in `format` was called."),
  effort: z
    .enum(["none", "minimal", "low", "medium", "high", "xhigh"])
    .optional()
    .describe("How `think` was asked for."),
  tool_choice: z.literal("none").optional().describe("Tools were given, and none was to be called."),
});
export type ResponseNote = z.infer<typeof responseNoteSchema>;
