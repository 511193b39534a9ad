import { type DeadLetterSummary, deadLetterSummarySchema } from "@forebay/queue-bullmq";
import { type DeadLetter, deadLetterSchema } from "@forebay/queue-contracts";
import type { z } from "zod";
import type { Caller } from "../../../auth/caller.ts";

export const deadLetterSummaryViewSchema = deadLetterSummarySchema.omit({ v: true });
export type DeadLetterSummaryView = z.infer<typeof deadLetterSummaryViewSchema>;

export const deadLetterViewSchema = deadLetterSchema
  .omit({ v: true, payload: true })
  .extend({
    payload: deadLetterSchema.shape.payload
      .optional()
      .describe("Only for admins: it holds the prompt. As it stood on the queue, whether it parses or not."),
  })
  .meta({ id: "DeadLetter" });

export function summaryView(summary: DeadLetterSummary): DeadLetterSummaryView {
  const { v: _, ...view } = summary;
  return view;
}

/** Prompts are for admins. So is the first line of a stack: a foreign worker's error may quote what it read. */
export function deadLetterView(letter: DeadLetter, caller: Caller): z.infer<typeof deadLetterViewSchema> {
  const { v: _, payload, ...rest } = letter;
  if (caller.role === "admin") return { ...rest, payload };
  return { ...rest, stack: rest.stack.map(framesOf) };
}

function framesOf(stack: string): string {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.map((line) => line.trim()).join("\n");
}
