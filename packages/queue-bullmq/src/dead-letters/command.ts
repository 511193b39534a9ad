import { jobIdSchema, modelNameSchema, modelOptionsSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { deadLetterFilterSchema } from "./list-dead-letters.ts";

/** Who asked for it: the holder of an API key (null: no key is configured), or the redrive policy. */
export const actorSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("key"),
    key_id: z.string().nullable(),
    tenant: z.string(),
    role: z.string(),
  }),
  z.strictObject({ kind: z.literal("policy"), rule: z.string() }),
]);
export type Actor = z.infer<typeof actorSchema>;

export const idsPerCommandMax = 1_000;

const idsSchema = z.array(jobIdSchema).min(1).max(idsPerCommandMax);

/** The letters a command is about. */
export const targetSchema = z.union([
  z.strictObject({ ids: idsSchema }),
  z.strictObject({ filter: deadLetterFilterSchema }),
  /** Letters only as long as they are about this failure. */
  z.strictObject({
    failures: z
      .array(z.strictObject({ id: jobIdSchema, failed_at: z.iso.datetime() }))
      .min(1)
      .max(idsPerCommandMax),
  }),
]);
export type Target = z.infer<typeof targetSchema>;

/** What is changed in a payload before the job runs again: another model, other options on top of its own. */
export const redrivePatchSchema = z
  .strictObject({ model: modelNameSchema.optional(), options: modelOptionsSchema.optional() })
  .refine(({ model, options }) => model !== undefined || options !== undefined, {
    error: "must name a model, options, or both",
  });
export type RedrivePatch = z.infer<typeof redrivePatchSchema>;

const common = { v: z.literal(1), actor: actorSchema, requested_at: z.iso.datetime() };

export const redriveCommandSchema = z.strictObject({
  action: z.literal("redrive"),
  ...common,
  target: targetSchema,
  patch: redrivePatchSchema.optional(),
  rate_per_s: z.number().min(0.01).max(1_000).optional(),
});
export type RedriveCommand = z.infer<typeof redriveCommandSchema>;

/**
 * What dlq-handler is asked to do with dead letters; the data of a job on the command queue. `park` and `drop`
 * only change their state; `erase` removes them and the payload in them for good.
 */
export const deadLetterCommandSchema = z.discriminatedUnion("action", [
  redriveCommandSchema,
  z.strictObject({ action: z.literal("park"), ...common, target: targetSchema }),
  z.strictObject({ action: z.literal("drop"), ...common, target: targetSchema }),
  z.strictObject({ action: z.literal("erase"), ...common, target: z.strictObject({ ids: idsSchema }) }),
]);
export type DeadLetterCommand = z.infer<typeof deadLetterCommandSchema>;
export type DeadLetterAction = DeadLetterCommand["action"];

/** A command without who asks for it, and when. */
export type CommandWish = WishOf<DeadLetterCommand>;
// Member by member: Omit on a union would forget what tells its members apart.
type WishOf<C> = C extends unknown ? Omit<C, "v" | "actor" | "requested_at"> : never;

/** How the letters of a command fared. */
export const actionCountsSchema = z.object({
  /** Letters the command was about. */ matched: z.int(),
  changed: z.int(),
  /** Not in a state for it any more, or changed by somebody else meanwhile. */ skipped: z.int(),
  /** Not redriven, since no worker could read the payload. */ invalid: z.int(),
  /** No such letter. */ missing: z.int(),
  /** Could not be done; the log says why. */ failed: z.int(),
});
export type ActionCounts = z.infer<typeof actionCountsSchema>;

export const noCounts: ActionCounts = {
  matched: 0,
  changed: 0,
  skipped: 0,
  invalid: 0,
  missing: 0,
  failed: 0,
};
