import {
  type EarlierClaim,
  type IdempotencyClaim,
  isRedisUnavailable,
  PayloadTooLargeError,
  QueueDirectoryFullError,
  submitJob,
} from "@forebay/queue-bullmq";
import {
  type Affinity,
  affinityOf,
  createJobId,
  type InferenceJob,
  queueTag,
} from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import { queueUnavailable } from "../../http/answer-error.ts";
import { Problem } from "../../http/problem.ts";
import { chooseReadyModel } from "../../models/choose-ready-model.ts";
import { nameServed } from "../../models/name-served.ts";
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

/**
 * Finds the model a job's name stands for, or one that takes its place, and its queue. The placed job names that
 * model. Throws Problem.
 */
export async function placeJob(deps: JobDeps, draft: DraftJob): Promise<PlacedJob> {
  const { models, space, jobs } = deps;
  const named = nameServed(jobs.names, draft.caller, draft.job);
  const queueOf = (job: InferenceJob): Promise<string> => findQueue(deps, job);
  const job = await chooseReadyModel({ models, space, readiness: jobs.readiness }, named, queueOf);
  await models.require(job.model);
  return { ...draft, job, id: createJobId(queueTag(affinityOfJob(job))), queueName: await queueOf(job) };
}

const affinityOfJob = ({ model, request }: InferenceJob): Affinity =>
  affinityOf({ model, options: request.options });

async function findQueue({ directory }: JobDeps, job: InferenceJob): Promise<string> {
  try {
    return await directory.ensure(affinityOfJob(job));
  } catch (error) {
    if (!(error instanceof QueueDirectoryFullError)) throw error;
    const detail = `${error.message}; use runner options (num_ctx, num_gpu, …) that are in use already.`;
    throw new Problem("too_many_queues", detail, {}, { cause: error });
  }
}

/** Puts the job on its queue if there is room. Throws Problem. */
export async function acceptJob(deps: JobDeps, placed: PlacedJob): Promise<JobView> {
  const answer = await acceptOnce(deps, placed, undefined);
  if (answer.kind === "new") return answer.view;
  throw new Error("a request without an idempotency key met an earlier one");
}

/** The same for a request that may be repeated; or what it met. Throws Problem. */
export async function acceptOnce(
  deps: JobDeps,
  placed: PlacedJob,
  claim: IdempotencyClaim | undefined,
): Promise<{ kind: "new"; view: JobView } | EarlierClaim> {
  const { admission } = deps;
  const { caller, id, job, delayMs, attempts } = placed;
  await admission.requireRoom();
  const answer = await submit(deps, placed, { openMax: admission.openMaxOf(caller), claim });
  switch (answer.kind) {
    case "added": {
      const { createdAt, ahead: position } = answer;
      return {
        kind: "new",
        view: newJobView(id, job, { createdAt, position, delayMs, attemptsMax: attempts }),
      };
    }
    case "full":
      throw await admission.tooManyOpen(caller, answer.open);
    case "same":
    case "mismatch":
      return answer;
  }
}

async function submit(
  { space, policy }: JobDeps,
  placed: PlacedJob,
  limits: NonNullable<Parameters<typeof submitJob>[2]>,
): ReturnType<typeof submitJob> {
  try {
    return await submitJob(space, { ...placed, policy }, limits);
  } catch (error) {
    if (error instanceof PayloadTooLargeError) {
      throw new Problem("body_too_large", `${error.message}.`, {}, { cause: error });
    }
    // A write that timed out may have been done: the id was chosen before it and finds out.
    throw isRedisUnavailable(error) ? queueUnavailable(error, placed.id) : error;
  }
}
