import { claimIdempotencyKey, readJob, recordIdempotentJob } from "@forebay/queue-bullmq";
import { queueTagOfJobId } from "@forebay/queue-contracts";
import { Problem } from "../../http/problem.ts";
import type { JobDeps } from "./job-deps.ts";
import { type JobView, jobView } from "./job-view.ts";
import { acceptJob, type Submission } from "./submit-job.ts";

const rememberedS = 24 * 3_600;

type Claim = { readonly tenant: string; readonly key: string; readonly fingerprint: string };
type Answer = { readonly view: JobView; readonly replayed: boolean };

/**
 * Submits a job unless this request was made before; then answers with the job it made. The key is claimed for
 * an id before that job is written, so whoever repeats the request, at the same time or after a crash, can
 * only ever write the same job again. Throws Problem.
 */
export async function submitOnce(deps: JobDeps, submission: Submission, claim: Claim): Promise<Answer> {
  const { space } = deps;
  const claimed = await claimIdempotencyKey(space, { ...claim, id: submission.id, ttlS: rememberedS });
  switch (claimed.kind) {
    case "new":
      return { view: await acceptAndRecord(deps, submission, claim), replayed: false };
    case "same":
      return answerAgain(deps, { ...submission, id: claimed.id }, claim, claimed.recorded);
    case "mismatch":
      throw new Problem(
        "idempotency_mismatch",
        "This Idempotency-Key was used for a request with another body.",
        { job_id: claimed.id },
      );
  }
}

async function answerAgain(
  deps: JobDeps,
  submission: Submission,
  claim: Claim,
  recorded: boolean,
): Promise<Answer> {
  const { id, queueName } = submission;
  const existing = await viewOf(deps, id);
  if (existing) return { view: existing, replayed: true };
  // Written once and not there any more: it was deleted or aged out, and must not come back to life.
  if (recorded) throw gone(id);
  // Claimed but never written: its first request is still under way, was refused, or died. Writing it again
  // is safe only on the queue its id leads to, which another default model since then would change.
  if (queueTagOfJobId(id) !== queueName.slice(-9, -1)) {
    const detail =
      "This Idempotency-Key was first used while this request meant another model; use a new one.";
    throw new Problem("idempotency_mismatch", detail);
  }
  try {
    return { view: await acceptAndRecord(deps, submission, claim), replayed: true };
  } catch (error) {
    // The first request may have taken the very place that was missing for this one.
    const written = error instanceof Problem ? await viewOf(deps, id) : undefined;
    if (!written) throw error;
    return { view: written, replayed: true };
  }
}

async function acceptAndRecord(deps: JobDeps, submission: Submission, claim: Claim): Promise<JobView> {
  const view = await acceptJob(deps, submission);
  // The client need not wait for it; what its loss would mean is said there.
  recordIdempotentJob(deps.space, { ...claim, id: submission.id }).catch(() => undefined);
  return view;
}

async function viewOf({ space, directory }: JobDeps, id: string): Promise<JobView | undefined> {
  const record = await readJob(space, directory, id);
  return record && jobView(record, true);
}

function gone(id: string): Problem {
  const detail =
    "The job made with this Idempotency-Key was deleted or has aged out; use a new key to run it again.";
  return new Problem("job_gone", detail, { job_id: id });
}
