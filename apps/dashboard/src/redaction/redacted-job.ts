import { failureCodes, parseFailedReason } from "@forebay/queue-contracts";
import { z } from "zod";
import { summarizePayload } from "./summarize-payload.ts";
import { summarizeResult } from "./summarize-result.ts";
import { jobTitle } from "./job-title.ts";

const number = z.number();

/** How far a job is: a number, or our own count of tokens. Anything else a processor reports is its own. */
export const redactedProgressSchema = z.union([number, z.object({ tokens: number })]).catch(0);

const redactedOptionsSchema = z
  .object({
    attempts: number.optional().catch(undefined),
    priority: number.optional().catch(undefined),
    delay: number.optional().catch(undefined),
  })
  .catch({});

/** A job as Bull Board answers it, for eyes that may not see prompts and answers. */
export const redactedJobSchema = z
  .object({
    id: z.union([z.string(), number]).nullish(),
    timestamp: number.catch(0),
    processedOn: number.nullish(),
    processedBy: z
      .string()
      .regex(/^[\w.:@-]{1,100}$/)
      .nullish()
      .catch(undefined),
    finishedOn: number.nullish(),
    progress: redactedProgressSchema,
    attempts: number,
    delay: number.optional(),
    priority: number.optional(),
    attemptsStarted: number.optional(),
    stalledCounter: number.optional(),
    isFailed: z.boolean(),
    opts: redactedOptionsSchema,
    failedReason: z.string().optional().transform(describeFailure),
    // The first lines of a stack are the error's message, and nothing says where that ends.
    stacktrace: z.unknown().transform(() => [] as string[]),
    data: z.unknown(),
    returnValue: z.unknown().transform(summarizeResult),
  })
  .transform((job) => ({ ...job, name: jobTitle(job.data), data: summarizePayload(job.data) }));

function describeFailure(reason: string | undefined): string | undefined {
  if (reason === undefined || reason === "") return undefined;
  const { code } = parseFailedReason(reason);
  return `${code}: ${failureCodes[code].meaning} ${failureCodes[code].action}`;
}
