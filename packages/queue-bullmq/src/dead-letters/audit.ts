import { z } from "zod";
import { parseJson } from "../jobs/job-record.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import {
  type ActionCounts,
  actionCountsSchema,
  actorSchema,
  type DeadLetterCommand,
  redrivePatchSchema,
} from "./command.ts";
import { commandQueueName } from "./command-queue.ts";
import { deadLetterFilterSchema } from "./list-dead-letters.ts";

const idsShownMax = 100;
/** Entries kept, roughly. */
const entriesMax = 10_000;

/** Who did what to dead letters, when, and what came of it. */
export const auditEntrySchema = z.object({
  at: z.iso.datetime(),
  action_id: z.string(),
  action: z.enum(["redrive", "park", "drop", "erase"]),
  actor: actorSchema,
  requested_at: z.iso.datetime(),
  filter: deadLetterFilterSchema.optional(),
  /** The first hundred. */ ids: z.array(z.string()).optional(),
  ids_total: z.int().optional(),
  patch: redrivePatchSchema.optional(),
  rate_per_s: z.number().optional(),
  counts: actionCountsSchema,
  outcome: z.enum(["completed", "failed"]),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

// KEYS: the command's job, the stream. ARGV: entry, how many are kept. A command that is gone on with after it
// was audited leaves no second entry.
const appendOnce = createLuaScript(`
if redis.call("EXISTS", KEYS[1]) == 1 and redis.call("HSETNX", KEYS[1], "audited", 1) == 0 then return 0 end
redis.call("XADD", KEYS[2], "MAXLEN", "~", ARGV[2], "*", "entry", ARGV[1])
return 1
`);

export async function appendAudit(
  space: QueueSpace,
  actionId: string,
  command: DeadLetterCommand,
  ended: { counts: ActionCounts; outcome: AuditEntry["outcome"] },
): Promise<void> {
  const { action, actor, requested_at } = command;
  const entry: AuditEntry = {
    at: new Date().toISOString(),
    action_id: actionId,
    action,
    actor,
    requested_at,
    ...describeTarget(command.target),
    ...(command.action === "redrive" && { patch: command.patch, rate_per_s: command.rate_per_s }),
    ...ended,
  };
  const keys = [space.jobKey(commandQueueName, actionId), auditKey(space)];
  await appendOnce(space.client, keys, [JSON.stringify(entry), entriesMax]);
}

/** Entries newest first, with the position to go on from. */
export async function readAudit(
  space: QueueSpace,
  query: { limit: number; after?: string | undefined },
): Promise<{ entries: AuditEntry[]; next: string | undefined }> {
  const from = query.after === undefined ? "+" : `(${query.after}`;
  const rows = await space.client.xrevrange(auditKey(space), from, "-", "COUNT", query.limit);
  const entries = rows
    .map(([, fields]) => auditEntrySchema.safeParse(parseJson(fields[1])).data)
    .filter((entry) => entry !== undefined);
  return { entries, next: rows.length === query.limit ? rows.at(-1)?.[0] : undefined };
}

const auditKey = (space: QueueSpace): string => space.queue(commandQueueName).toKey("audit");

function describeTarget(
  target: DeadLetterCommand["target"],
): Pick<AuditEntry, "filter" | "ids" | "ids_total"> {
  if ("filter" in target) return { filter: target.filter };
  const ids = "ids" in target ? target.ids : target.failures.map(({ id }) => id);
  return { ids: ids.slice(0, idsShownMax), ids_total: ids.length };
}
