import { randomBytes } from "node:crypto";
import { z } from "zod";
import { finalStateOf, type JobHash, parseJson } from "../jobs/job-record.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import {
  type ActionCounts,
  actionCountsSchema,
  type DeadLetterCommand,
  deadLetterCommandSchema,
  noCounts,
} from "./command.ts";

/** The queue of what dlq-handler is asked to do. A command's job id is the id of the action. */
export const commandQueueName = "{dlq-commands}";

export const actionIdSchema = z.string().regex(/^act-[0-9a-f]{24}$|^auto-[0-9a-z]{1,64}$/, {
  error: "is not the id of an action",
});

/** How far a command has come: the position after the last letter done, and how those fared. */
export const commandProgressSchema = z.object({ next: z.int().min(0), counts: actionCountsSchema });
export type CommandProgress = z.infer<typeof commandProgressSchema>;

// Redis may be away for a while in the middle of a command; after these tries (about a quarter of an hour)
// somebody must look.
const commandOptions = {
  attempts: 10,
  backoff: { type: "exponential", delay: 1_000 },
  removeOnComplete: { age: 7 * 24 * 3_600, count: 10_000 },
  removeOnFail: { age: 30 * 24 * 3_600 },
};

/** Asks for a command and returns the action's id. The same id twice is one action. */
export async function addDeadLetterCommand(
  space: QueueSpace,
  command: DeadLetterCommand,
  id = `act-${randomBytes(12).toString("hex")}`,
): Promise<string> {
  const parsed = deadLetterCommandSchema.parse(command);
  await space.queue(commandQueueName).add(parsed.action, parsed, { jobId: id, ...commandOptions });
  return id;
}

/** A command on its way or done. */
export type ActionRecord = {
  readonly id: string;
  readonly state: "waiting" | "running" | "completed" | "failed";
  readonly command: DeadLetterCommand;
  /** So far, or in the end. */
  readonly counts: ActionCounts;
  readonly finishedAt: Date | undefined;
};

/** undefined: there is no such action (any more). */
export async function readAction(space: QueueSpace, id: string): Promise<ActionRecord | undefined> {
  const hash: JobHash = await space.client.hgetall(space.jobKey(commandQueueName, id));
  const command = deadLetterCommandSchema.safeParse(parseJson(hash["data"])).data;
  if (hash["timestamp"] === undefined || !command) return undefined;
  const progress = commandProgressSchema.safeParse(parseJson(hash["progress"])).data;
  const result = actionCountsSchema.safeParse(parseJson(hash["returnvalue"])).data;
  const finished = hash["finishedOn"];
  return {
    id,
    state: stateOf(hash),
    command,
    counts: result ?? progress?.counts ?? noCounts,
    finishedAt: finished === undefined ? undefined : new Date(Number(finished)),
  };
}

function stateOf(hash: JobHash): ActionRecord["state"] {
  const final = finalStateOf(hash);
  if (final !== undefined) return final === "completed" ? "completed" : "failed";
  return hash["processedOn"] === undefined ? "waiting" : "running";
}
