import { type EarlierClaim, readIdempotencyClaim, readJob } from "@forebay/queue-bullmq";
import { Problem } from "../../http/problem.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import { type Accepted, acceptOnce, type DraftJob, type PlacedJob, placeJob } from "./place-job.ts";

const rememberedS = 24 * 3_600;

type Request = { readonly key: string; readonly fingerprint: string };
type Answer = Accepted & { /** The key had been used before. */ readonly replayed: boolean };

/**
 * Submits a job unless this request was made before; then answers with the job it made. Key and job are written
 * together or not at all, so whoever repeats the request, at the same time or after a crash, finds that job.
 * Throws Problem.
 */
export async function submitOnce(deps: JobDeps, draft: DraftJob, request: Request): Promise<Answer> {
  const claim = { ...request, ttlS: rememberedS };
  let placed: PlacedJob;
  let answer: Awaited<ReturnType<typeof acceptOnce>>;
  try {
    placed = await placeJob(deps, draft);
    answer = await acceptOnce(deps, placed, claim);
  } catch (error) {
    // A repeated request gets its job, whatever has become of the model or the queue since.
    const tenant = draft.caller.tenant;
    const refused = error instanceof Problem && error.code !== "queue_unavailable";
    const earlier = refused ? await readIdempotencyClaim(deps.space, tenant, claim) : undefined;
    if (!earlier) throw error;
    return answerEarlier(deps, earlier);
  }
  if (answer.kind !== "new") return answerEarlier(deps, answer);
  deps.events.jobAccepted(placed.id, placed.job, placed.caller);
  return { view: answer.view, headers: answer.headers, replayed: false };
}

async function answerEarlier(
  { space, directory, forecasts }: JobDeps,
  { kind, id }: EarlierClaim,
): Promise<Answer> {
  if (kind === "mismatch") {
    const detail = "This Idempotency-Key was used for a request with another body.";
    throw new Problem("idempotency_mismatch", detail, { job_id: id });
  }
  const record = await readJob(space, directory, id);
  if (record)
    return { view: jobView(record, true, await forecasts.startOfJob(record)), headers: {}, replayed: true };
  // It was written, and is not there any more: it must not come back to life.
  const detail = "The job made with this Idempotency-Key was deleted or has aged out; use a new key.";
  throw new Problem("job_gone", detail, { job_id: id });
}
