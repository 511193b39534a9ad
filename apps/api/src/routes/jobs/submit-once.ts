import {
  claimIdempotencyKey,
  recordEnded,
  readIdempotencyClaim,
  readJob,
  recordIdempotentJob,
} from "@forebay/queue-bullmq";
import { isFinalState, jobIdTimeMs, queueTagOfJobId } from "@forebay/queue-contracts";
import { Problem } from "../../http/problem.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import type { JobView } from "./job-view-schema.ts";
import { acceptJob, type DraftJob, type PlacedJob, placeJob } from "./place-job.ts";

const rememberedS = 24 * 3_600;
const underWayMs = 1_000;

type Claim = { readonly tenant: string; readonly key: string; readonly fingerprint: string };
type Answer = { readonly view: JobView /** The key had been used before. */; readonly replayed: boolean };

/**
 * Submits a job unless this request was made before; then answers with the job it made. The key is claimed for
 * an id before that job is written, so whoever repeats the request, at the same time or after a crash, can
 * only ever write the same job again. Throws Problem.
 */
export async function submitOnce(deps: JobDeps, draft: DraftJob, claim: Claim): Promise<Answer> {
  let placed: PlacedJob;
  try {
    placed = await placeJob(deps, draft);
  } catch (error) {
    // A repeated request gets its job, whatever has become of the model since.
    const earlier = error instanceof Problem ? await readIdempotencyClaim(deps.space, claim) : undefined;
    const view = earlier?.kind === "same" ? await viewOf(deps, earlier.id) : undefined;
    if (!view) throw error;
    return { view, replayed: true };
  }
  return answerClaim(deps, placed, claim);
}

async function answerClaim(deps: JobDeps, placed: PlacedJob, claim: Claim): Promise<Answer> {
  const claimed = await claimIdempotencyKey(deps.space, { ...claim, id: placed.id, ttlS: rememberedS });
  switch (claimed.kind) {
    case "new": {
      const view = await acceptAndRecord(deps, placed, claim);
      deps.events.jobAccepted(view.job_id, placed.job, placed.caller);
      return { view, replayed: false };
    }
    case "same": {
      const view = await viewOf(deps, claimed.id);
      return view ? { view, replayed: true } : addAgain(deps, placed, claim, claimed);
    }
    case "mismatch":
      throw mismatch("This Idempotency-Key was used for a request with another body.", claimed.id);
  }
}

/** For a key that was claimed, with no job to be found. */
async function addAgain(
  deps: JobDeps,
  placed: PlacedJob,
  claim: Claim,
  { id, recorded }: { id: string; recorded: boolean },
): Promise<Answer> {
  // Written once and not there any more: it was deleted or aged out, and must not come back to life.
  if (recorded) throw gone(id);
  // Never written: its first request is still under way, was refused, or died. Writing the job is safe only on
  // the queue its id leads to, and since then the default model may have come to mean another one.
  if (queueTagOfJobId(id) !== queueTagOfJobId(placed.id)) {
    throw mismatch("This Idempotency-Key was first used when this request meant another model.", id);
  }
  let mine: JobView;
  try {
    mine = await acceptAndRecord(deps, { ...placed, id }, claim);
  } catch (error) {
    // The first request may have taken the very place that was missing for this one.
    const view = error instanceof Problem ? await viewOf(deps, id) : undefined;
    if (view) return { view, replayed: true };
    throw error;
  }
  const view = await viewOf(deps, id);
  if (!view) throw gone(id);
  // The first request's job may even have ended before this one listed it as open again.
  if (isFinalState(view.state)) await recordEnded(deps.space, claim.tenant, id);
  // Redis does not say whose write it was. A first request under way is the likely other one.
  const late = Date.now() - jobIdTimeMs(id) >= underWayMs;
  const replayed = !(late && view.created_at === mine.created_at);
  if (!replayed) deps.events.jobAccepted(id, placed.job, placed.caller);
  return { view, replayed };
}

async function acceptAndRecord(deps: JobDeps, placed: PlacedJob, claim: Claim): Promise<JobView> {
  const view = await acceptJob(deps, placed);
  // The client need not wait for it; what its loss would mean is said there.
  recordIdempotentJob(deps.space, { ...claim, id: placed.id }).catch(() => undefined);
  return view;
}

async function viewOf({ space, directory }: JobDeps, id: string): Promise<JobView | undefined> {
  const record = await readJob(space, directory, id);
  return record && jobView(record, true);
}

function mismatch(detail: string, id: string): Problem {
  return new Problem("idempotency_mismatch", detail, { job_id: id });
}

function gone(id: string): Problem {
  const detail = "The job made with this Idempotency-Key was deleted or has aged out; use a new key.";
  return new Problem("job_gone", detail, { job_id: id });
}
