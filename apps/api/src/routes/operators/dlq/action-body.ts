import { deadLetterFilterSchema, idsPerCommandMax, redriveCommandSchema } from "@forebay/queue-bullmq";
import { jobIdSchema } from "@forebay/queue-contracts";
import { z } from "zod";

const target = {
  ids: z
    .array(jobIdSchema)
    .min(1, { error: "must hold at least one id" })
    .max(idsPerCommandMax, { error: `must hold at most ${idsPerCommandMax} ids; use a filter` })
    .optional()
    .describe("The letters with these ids, in whatever state. Either this or `filter`."),
  filter: deadLetterFilterSchema
    .optional()
    .describe("The letters that match; without `state` only dead ones. `{}`: all dead letters."),
  dry_run: z.boolean().optional().describe("Only say what would be done."),
};

const oneTarget = <T extends z.ZodObject<typeof target>>(schema: T): T =>
  schema.refine((body) => (body.ids === undefined) !== (body.filter === undefined), {
    path: ["filter"],
    error: "or ids is required, and only one of them",
  });

/** Body of `POST /dlq/park`. */
export const parkBodySchema = oneTarget(z.strictObject(target)).meta({ id: "ParkDeadLetters" });

/** Body of `POST /dlq/redrive`. */
export const redriveBodySchema = oneTarget(
  z.strictObject({
    ...target,
    patch: redriveCommandSchema.shape.patch.describe(
      "Another model, other options on top of the job's own: for letters whose request was what failed.",
    ),
    rate_per_s: redriveCommandSchema.shape.rate_per_s.describe("At most so many jobs per second."),
  }),
).meta({ id: "RedriveDeadLetters" });

/** Body of `DELETE /dlq`. */
export const dropBodySchema = oneTarget(
  z.strictObject({
    ...target,
    erase: z
      .boolean()
      .optional()
      .describe("Remove the letters and their payloads for good, now. Only with `ids`."),
  }),
)
  .refine((body) => !body.erase || body.ids !== undefined, {
    path: ["erase"],
    error: "needs ids: what is erased cannot be found again",
  })
  .meta({ id: "DropDeadLetters" });

export type TargetBody = z.infer<typeof parkBodySchema>;
