import { addJob, countAhead, isRedisUnavailable, QueueDirectoryFullError } from "@forebay/queue-bullmq";
import { affinityOf, createJobId, type InferenceJob, queueTag } from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import { queueUnavailable } from "../../http/answer-error.ts";
import { Problem } from "../../http/problem.ts";
import type { JobDeps } from "./job-deps.ts";
import { newJobView } from "./job-view.ts";
import type { JobView } from "./job-view-schema.ts";

export type DraftJob = {
  readonly caller: Caller;
  readonly job: InferenceJob;
  readonly attempts: number;
  /** Milliseconds until it may begin. */ readonly delayMs: number;
};

/** A job with its queue, and an id that leads there. */
export type PlacedJob = DraftJob & { readonly id: string; readonly queueName: string };

/** Finds the queue of a job whose model is known. Throws Problem. */
export async function placeJob({ models, directory }: JobDeps, draft: DraftJob): Promise<PlacedJob> {
  const { job } = draft;
  await models.require(job.model);
  const affinity = affinityOf({ model: job.model, options: job.request.options });
  try {
    const queueName = await directory.ensure(affinity);
    return { ...draft, id: createJobId(queueTag(affinity)), queueName };
  } catch (error) {
    if (!(error instanceof QueueDirectoryFullError)) throw error;
    const detail = `${error.message}; use runner options (num_ctx, num_gpu, …) that are in use already.`;
    throw new Problem("too_many_queues", detail, {}, { cause: error });
  }
}

/** Adds the job if there is room. Throws Problem. */
export async function acceptJob(deps: JobDeps, placed: PlacedJob): Promise<JobView> {
  const { space, admission, policy } = deps;
  const { caller, id, queueName, job, attempts, delayMs } = placed;
  using _place = await admission.enter(caller);
  try {
    const [position, createdAt] = await Promise.all([
      countAhead(space, queueName, job.lane),
      addJob(space, { id, queueName, job, attempts, delayMs: delayMs || undefined, policy }),
    ]);
    return newJobView(id, job, { createdAt, position, delayMs, attemptsMax: attempts });
  } catch (error) {
    // A write that timed out may have been done: the id was chosen before it and finds out.
    throw isRedisUnavailable(error) ? queueUnavailable(error, id) : error;
  }
}
