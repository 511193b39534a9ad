import { addJob, countAhead, QueueDirectoryFullError } from "@forebay/queue-bullmq";
import { affinityOf, createJobId, type InferenceJob, queueTag } from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { Problem } from "../../http/problem.ts";
import { refuseQuery } from "../../http/query.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { fingerprintBody } from "./fingerprint-body.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import type { JobDeps } from "./job-deps.ts";
import { type JobView, newJobView } from "./job-view.ts";
import { parseSubmission } from "./parse-submission.ts";
import { resolveJob } from "./resolve-job.ts";
import { submitOnce } from "./submit-once.ts";

/** A job that may be put on its queue, under an id that leads there. */
export type Submission = {
  readonly caller: Caller;
  readonly id: string;
  readonly queueName: string;
  readonly job: InferenceJob;
  readonly attempts: number;
};

/** `POST /jobs` */
export function submitJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { incoming } = context.env;
    refuseQuery(context.req.url);
    const body = await readJsonBody(incoming, deps.body);
    const parsed = parseSubmission(body);
    const header = incoming.headers["idempotency-key"];
    const key = parseIdempotencyKey(header?.toString(), parsed.idempotency_key);
    const caller = context.get("caller");
    const job = resolveJob(parsed, caller, deps.jobs);
    await deps.models.require(job.model);
    const submission = await placeJob(deps, caller, job, parsed.attempts ?? deps.policy.attempts);
    if (key === undefined) return accepted(await acceptJob(deps, submission));

    const claim = { tenant: caller.tenant, key, fingerprint: fingerprintBody(body as object) };
    const { view, replayed } = await submitOnce(deps, submission, claim);
    return accepted(view, replayed);
  };
}

async function placeJob(
  { directory }: JobDeps,
  caller: Caller,
  job: InferenceJob,
  attempts: number,
): Promise<Submission> {
  const affinity = affinityOf({ model: job.model, options: job.request.options });
  try {
    const queueName = await directory.ensure(affinity);
    return { caller, id: createJobId(queueTag(affinity)), queueName, job, attempts };
  } catch (error) {
    if (!(error instanceof QueueDirectoryFullError)) throw error;
    const detail = `${error.message}; use runner options (num_ctx, num_gpu, …) that are in use already.`;
    throw new Problem("too_many_queues", detail, {}, { cause: error });
  }
}

/** Adds the job if there is room. Throws Problem. */
export async function acceptJob(deps: JobDeps, submission: Submission): Promise<JobView> {
  const { space, admission, policy, events } = deps;
  const { caller, id, queueName, job, attempts } = submission;
  using _place = await admission.enter(caller);
  const [position, createdAt] = await Promise.all([
    countAhead(space, queueName, job.lane),
    addJob(space, { id, queueName, job, attempts, policy }),
  ]);
  events.jobAccepted(id, job, caller);
  return newJobView(id, job, { createdAt, position, attemptsMax: attempts });
}

function accepted(view: JobView, replayed = false): Response {
  return jsonResponse(202, view, {
    location: `/jobs/${view.job_id}`,
    ...(replayed && { "idempotency-replayed": "true" }),
  });
}
