import type { DeadLetter } from "@forebay/queue-contracts";
import type { JobHash } from "../jobs/job-record.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { describeFailedJob, leavesDeadLetter } from "./describe-failed-job.ts";
import { mergeDeadLetter } from "./merge-dead-letter.ts";
import { readStoredLetter } from "./read-dead-letter.ts";
import { writeDeadLetter } from "./write-dead-letter.ts";

// KEYS: job. ARGV: finishedOn of the failure that has its letter now. Never brings back a job that is gone,
// nor marks a failure that came later.
const settleScript = createLuaScript(`
if redis.call("HGET", KEYS[1], "finishedOn") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "dl", ARGV[1])
return 1
`);

/** Notes on a job that its failure of that time (ms, as the job has it) has a letter. */
export async function settleFailure(
  space: QueueSpace,
  queueName: string,
  id: string,
  finishedOn: string,
): Promise<void> {
  await settleScript(space.client, [space.jobKey(queueName, id)], [finishedOn]);
}

export type RecordAnswer =
  | { readonly kind: "recorded"; readonly letter: DeadLetter }
  /** Its letter exists already; the job only had to be told. */
  | { readonly kind: "known" }
  /** No letter is due: it runs again, is gone, or ended in another way. */
  | { readonly kind: "none" }
  /** Its letter was erased a moment ago. */
  | { readonly kind: "erased" };

export type RecordOptions = {
  /** When the policy redrives a new letter, in ms since 1970. */
  readonly dueMs: (letter: DeadLetter) => number | undefined;
};

const triesMax = 20;

/**
 * Makes or renews the dead letter of a failed job, then notes on the job that its failure is dealt with. Any
 * number of processes may do so at once and be killed anywhere: the letter is written once per failure.
 */
export async function recordDeadLetter(
  space: QueueSpace,
  queue: { name: string; model: string },
  id: string,
  options: RecordOptions,
): Promise<RecordAnswer> {
  for (let tries = 0; tries < triesMax; tries++) {
    // The letter before the job: a letter that is newer than the job as read cannot be overwritten, since its
    // rev has changed by then.
    const stored = await readStoredLetter(space, id);
    const hash: JobHash = await space.client.hgetall(space.jobKey(queue.name, id));
    if (!leavesDeadLetter(hash)) return { kind: "none" };
    const failure = describeFailedJob(id, queue, hash);
    const settle = () => settleFailure(space, queue.name, id, hash["finishedOn"] ?? "");
    if (stored?.letter?.last_failed_at === failure.last_failed_at) {
      await settle();
      return { kind: "known" };
    }
    const letter = stored?.letter ? mergeDeadLetter(stored.letter, failure) : failure;
    const write = { letter, rev: stored?.rev ?? 0, dueMs: options.dueMs(letter) };
    const answer = await writeDeadLetter(space, write);
    if (answer === "erased") return { kind: "erased" };
    if (answer === "conflict") continue;
    await settle();
    return { kind: "recorded", letter };
  }
  throw new Error(`the dead letter of ${id} was changed by others ${triesMax} times while it was written`);
}
