import {
  type EarlierClaim,
  flowOf,
  type IdempotencyClaim,
  isRedisUnavailable,
  PayloadTooLargeError,
  peekPlace,
  type PlacePeek,
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
import type { JobEstimate } from "@forebay/scheduling";
import { deadlineRefusal, rateLimited } from "../../admission/admission.ts";
import { rateLimitHeaders } from "../../admission/rate-limit-headers.ts";
import type { Caller } from "../../auth/caller.ts";
import { queueUnavailable } from "../../http/answer-error.ts";
import { Problem } from "../../http/problem.ts";
import { chooseReadyModel } from "../../models/choose-ready-model.ts";
import { nameServed } from "../../models/name-served.ts";
import type { JobDeps } from "./job-deps.ts";
import { requestIdentity } from "./request-identity.ts";
import { newJobView } from "./job-view.ts";
import type { JobView } from "./job-view-schema.ts";

export type DraftJob = {
  readonly caller: Caller;
  readonly job: InferenceJob;
  readonly attempts: number;
  /** Milliseconds until it may begin. */ readonly delayMs: number;
  /** Milliseconds from when it may begin, within which it must. */
  readonly startDeadlineMs?: number | undefined;
};

/** A job with its queue, and an id that leads there. */
export type PlacedJob = DraftJob & { readonly id: string; readonly queueName: string };

/** A job on its queue, and what its tenant's limits leave. */
export type Accepted = { readonly view: JobView; readonly headers: Readonly<Record<string, string>> };

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
export async function acceptJob(deps: JobDeps, placed: PlacedJob): Promise<Accepted> {
  const answer = await acceptOnce(deps, placed, undefined);
  if (answer.kind === "new") return answer;
  throw new Error("a request without an idempotency key met an earlier one");
}

/** The same for a request that may be repeated; or what it met. Throws Problem. */
export async function acceptOnce(
  deps: JobDeps,
  placed: PlacedJob,
  claim: IdempotencyClaim | undefined,
): Promise<({ kind: "new" } & Accepted) | EarlierClaim> {
  const { admission, forecasts } = deps;
  const { caller, id, queueName, job, delayMs, attempts } = placed;
  const estimate = await forecasts.estimate(job);
  const asks = { flow: flowOf(job.tenant, job.lane), identity: () => requestIdentity(job, claim?.key) };
  await admission.requireRoom({ model: job.model, costMs: estimate.costMs, asks });
  await requireDeadline(deps, placed, estimate);
  const openMax = admission.openMaxOf(caller);
  const rates = admission.ratesOf(caller);
  const answer = await submit(deps, placed, estimate, { openMax, claim, rates });
  switch (answer.kind) {
    case "added": {
      const { createdAt, ahead: position, tag, standing } = answer;
      const place = { queueName, model: job.model, tag, ahead: position };
      const eta = delayMs > 0 || standing !== "" ? undefined : await forecasts.startOf(place);
      if (eta) forecasts.note(placed, eta);
      return {
        kind: "new",
        headers: rateLimitHeaders(answer.left),
        view: newJobView(id, job, { createdAt, position, standing, delayMs, attemptsMax: attempts, eta }),
      };
    }
    case "limited":
      throw rateLimited(answer.by, answer.waitMs, answer.left);
    case "full":
      throw await admission.tooManyOpen(caller, answer.open);
    case "same":
    case "mismatch":
      return answer;
  }
}

/** Throws Problem when a job would not begin before its start deadline, as far as anybody can tell. */
async function requireDeadline(deps: JobDeps, placed: PlacedJob, estimate: JobEstimate): Promise<void> {
  const { job, delayMs, startDeadlineMs } = placed;
  if (startDeadlineMs === undefined || delayMs > 0) return;
  const { tag, ahead } = await peek(deps, placed, estimate);
  const { queueName } = placed;
  const refusal = deadlineRefusal(
    startDeadlineMs,
    await deps.forecasts.startOf({ queueName, model: job.model, tag, ahead }),
  );
  if (refusal) throw refusal;
}

/** What a job would meet, without putting it. */
export function peek(
  { space, admission, laneWeights }: JobDeps,
  { queueName, job, caller }: Pick<PlacedJob, "queueName" | "job" | "caller">,
  estimate: JobEstimate,
): Promise<PlacePeek> {
  const limits = admission.ratesOf(caller);
  const runningMax = admission.runningMaxOf(caller);
  return peekPlace(space, {
    queueName,
    job,
    estimate,
    weight: caller.weight,
    laneWeights,
    limits,
    runningMax,
  });
}

async function submit(
  { space, policy, laneWeights, admission }: JobDeps,
  placed: PlacedJob,
  { costMs, promptTokens, outputTokens }: JobEstimate,
  limits: NonNullable<Parameters<typeof submitJob>[2]>,
): ReturnType<typeof submitJob> {
  try {
    const tokens = promptTokens + outputTokens;
    const runningMax = admission.runningMaxOf(placed.caller);
    const share = { costMs, tokens, weight: placed.caller.weight, laneWeights, runningMax };
    return await submitJob(space, { ...placed, ...share, policy }, limits);
  } catch (error) {
    if (error instanceof PayloadTooLargeError) {
      throw new Problem("body_too_large", `${error.message}.`, {}, { cause: error });
    }
    // A write that timed out may have been done: the id was chosen before it and finds out.
    throw isRedisUnavailable(error) ? queueUnavailable(error, placed.id) : error;
  }
}
