import { type ActionRecord, actionCountsSchema, actionIdSchema, actorSchema } from "@forebay/queue-bullmq";
import { z } from "zod";

export const actionViewSchema = z
  .object({
    action_id: actionIdSchema,
    action: z.enum(["redrive", "park", "drop", "erase"]),
    state: z.enum(["waiting", "running", "completed", "failed"]),
    counts: actionCountsSchema.describe("So far, or in the end."),
    actor: actorSchema,
    requested_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    links: z.object({ self: z.string() }),
  })
  .meta({ id: "DeadLetterAction" });

export function actionView(record: ActionRecord): z.infer<typeof actionViewSchema> {
  const { id, command, state, counts, finishedAt } = record;
  return {
    action_id: id,
    action: command.action,
    state,
    counts,
    actor: command.actor,
    requested_at: command.requested_at,
    finished_at: finishedAt?.toISOString() ?? null,
    links: { self: actionPath(id) },
  };
}

export const actionPath = (id: string): string => `/dlq/actions/${id}`;

export const dryRunViewSchema = z
  .object({
    dry_run: z.literal(true),
    action: z.enum(["redrive", "park", "drop", "erase"]),
    counts: actionCountsSchema,
    sample: z.array(z.string()).describe("Ids of some of the letters that would be changed."),
    complete: z.boolean().describe("false: only the newest 50,000 letters were looked at."),
  })
  .meta({ id: "DeadLetterDryRun" });
