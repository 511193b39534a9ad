import { addDeadLetterCommand, type JobRecord, type QueueSpace, readSummaries } from "@forebay/queue-bullmq";
import { jobIdSchema } from "@forebay/queue-contracts";
import { type Caller, seesAllTenants } from "../../auth/caller.ts";

/** A deleted job's payload also lives in its dead letter, if it has one; only dlq-handler may touch that. */
export async function eraseDeadLetter(space: QueueSpace, caller: Caller, job: JobRecord): Promise<void> {
  // Of a job that failed a moment ago the letter may be about to be written: erasing it prevents that too.
  const failed = job.state === "failed" || job.state === "timed_out";
  const [letter] = failed ? [] : await readSummaries(space, [job.id]);
  if (failed || letter !== undefined) await askToErase(space, caller, job.id);
}

/** Erases the letter of a job that is not there (any more), if the caller may. False: there is none. */
export async function eraseOrphanedLetter(space: QueueSpace, caller: Caller, id: string): Promise<boolean> {
  if (!jobIdSchema.safeParse(id).success) return false;
  const [letter] = await readSummaries(space, [id]);
  if (!letter || (letter.tenant !== caller.tenant && !seesAllTenants(caller))) return false;
  await askToErase(space, caller, id);
  return true;
}

async function askToErase(space: QueueSpace, caller: Caller, id: string): Promise<void> {
  await addDeadLetterCommand(space, {
    action: "erase",
    v: 1,
    actor: { kind: "key", key_id: caller.keyId ?? null, tenant: caller.tenant, role: caller.role },
    requested_at: new Date().toISOString(),
    target: { ids: [id] },
  });
}
