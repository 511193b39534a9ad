import {
  affinityOf,
  type DeadLetter,
  type DeliveryPolicy,
  type InferenceJob,
  queueTagOfJobId,
  stateOfFailure,
} from "@forebay/queue-contracts";
import { addJob } from "../jobs/add-job.ts";
import { parseJson } from "../jobs/job-record.ts";
import { recordMove } from "../jobs/locate-job.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { JobNotFailedError, retryJob } from "../jobs/retry-job.ts";
import { indexOpen } from "../jobs/tenant-index.ts";
import { carryLog } from "../token-log/carry-log.ts";
import { restoreHistory } from "./restore-history.ts";
import { runPipeline } from "./run-pipeline.ts";
import { settleFailure } from "./record-dead-letter.ts";
import type { LetterMark } from "./read-dead-letter.ts";

export type PutBack = {
  readonly letter: DeadLetter;
  readonly mark: LetterMark;
  /** The payload to run: the letter's, patched or not. */
  readonly job: InferenceJob;
  /** Whether `job` differs from what failed: it may then belong on another queue. */
  readonly patched: boolean;
};

type Deps = { space: QueueSpace; directory: QueueDirectory; policy: DeliveryPolicy };

/**
 * Puts a dead-lettered job back on a queue under its own id: in place if it still stands in the failed set, anew
 * from the letter if it has aged out, on another queue if the patch asks for that. Every step finds out what
 * is done already, so the whole may be repeated after a kill anywhere in it.
 */
export async function putJobBack(deps: Deps, back: PutBack): Promise<void> {
  const { from, failed_at } = back.mark;
  const to = back.patched ? await deps.directory.ensure(affinityOfJob(back.job)) : from;
  const old = await readPlace(deps.space, from, back.letter.job_id);
  // Neither gone nor failed as we know it: somebody else put it back meanwhile.
  if (old !== undefined && old.failedAt !== failed_at) return;
  if (to !== from) await moveJob(deps, back, to, old);
  else if (old) await retryInPlace(deps.space, back);
  else await addAgain(deps, back, to, undefined);
}

const affinityOfJob = ({ model, request }: InferenceJob) => affinityOf({ model, options: request.options });

/** After a move that was cut short and whose job has failed on its new queue since. */
export async function finishMove(deps: Deps, letter: DeadLetter, mark: LetterMark): Promise<void> {
  if (letter.queue === mark.from) return;
  await settleIn(deps, letter, letter.queue);
  const old = await readPlace(deps.space, mark.from, letter.job_id);
  if (old?.failedAt === mark.failed_at) await removeFrom(deps.space, mark.from, letter.job_id);
}

async function moveJob(deps: Deps, back: PutBack, to: string, old: Place | undefined): Promise<void> {
  const { space } = deps;
  const id = back.letter.job_id;
  // Its failure has a letter, whether or not the sweep came to say so: from here on a sweep of the old place
  // must not take it for news.
  if (old) await settleFailure(space, back.mark.from, id, String(Date.parse(back.mark.failed_at)));
  const there = await readPlace(space, to, id);
  if (there?.settled) await removeFrom(space, to, id);
  if (!there || there.settled) await addAgain(deps, back, to, old);
  else await settleIn(deps, back.letter, to);
  // Last, so that until then the job is found somewhere.
  if (old) await removeFrom(space, back.mark.from, id);
}

/** The job and its token log, from this queue only: elsewhere it lives on. */
async function removeFrom(space: QueueSpace, queueName: string, id: string): Promise<void> {
  await space.queue(queueName).remove(id);
}

type Place = {
  /** Of a failed job. */ readonly failedAt: string | undefined;
  readonly attempts: number | undefined;
  /** Its log holds tokens that the next start takes back. */ readonly partial: boolean;
  /** It failed there and has a letter of that: left over from an earlier stay. */ readonly settled: boolean;
};

/** undefined: no job of this id is on the queue. */
async function readPlace(space: QueueSpace, queueName: string, id: string): Promise<Place | undefined> {
  const fields = ["timestamp", "finishedOn", "failedReason", "opts", "dl", "partial"] as const;
  const values = await space.client.hmget(space.jobKey(queueName, id), ...fields);
  const [timestamp, finishedOn, reason, opts, dl, partial] = values.map((value) => value ?? undefined);
  if (timestamp === undefined) return undefined;
  const options = parseJson(opts) as { attempts?: number } | undefined;
  const failed = finishedOn !== undefined && reason !== undefined;
  return {
    failedAt: failed ? new Date(Number(finishedOn)).toISOString() : undefined,
    attempts: options?.attempts,
    partial: partial !== undefined,
    settled: failed && dl === finishedOn,
  };
}

// KEYS: job. ARGV: finishedOn (ms) of the failure meant, payload.
const replacePayload = createLuaScript(`
if redis.call("HGET", KEYS[1], "finishedOn") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "data", ARGV[2])
return 1
`);

async function retryInPlace(space: QueueSpace, { letter, mark, job, patched }: PutBack): Promise<void> {
  const place = { id: letter.job_id, queueName: mark.from, tenant: job.tenant };
  if (patched) {
    const failedMs = Date.parse(mark.failed_at);
    await replacePayload(space.client, [space.jobKey(mark.from, place.id)], [failedMs, JSON.stringify(job)]);
  }
  try {
    await retryJob(space, place);
  } catch (error) {
    // Put back a moment ago, by another handler doing the same or by its owner.
    if (!(error instanceof JobNotFailedError)) throw error;
  }
}

async function addAgain(
  deps: Deps,
  { letter, mark, job }: PutBack,
  queueName: string,
  old: Place | undefined,
): Promise<void> {
  const { space, policy } = deps;
  const id = letter.job_id;
  const state = stateOfFailure(letter.failure.code);
  await carryLog(space, id, queueName, state, old && { queueName: mark.from, partial: old.partial });
  // It began in time once; when it begins again is the operator's business.
  const { start_by: _, ...again } = job;
  // It may be listed as ended; a new job never is, so adding one does not look.
  const pipeline = space.client.pipeline();
  indexOpen(pipeline, space, job.tenant, id);
  await runPipeline(pipeline);
  const createdAt = new Date(letter.created_at);
  await addJob(space, { id, queueName, job: again, attempts: old?.attempts, createdAt, policy });
  await settleIn(deps, letter, queueName);
}

/** What a job that was added under an old id needs beside: its past, and to be found where it is now. */
async function settleIn(deps: Deps, letter: DeadLetter, queueName: string): Promise<void> {
  const { space, directory, policy } = deps;
  const id = letter.job_id;
  await restoreHistory(space, space.jobKey(queueName, id), letter.attempts);
  const home = await directory.nameOfTag(queueTagOfJobId(id) ?? "");
  if (queueName !== home) await recordMove(space, id, queueName, policy.deadLetterAgeS);
}
