import { type JobRecord, type LimitStanding, tenantOf } from "@forebay/queue-bullmq";
import {
  failureCodes,
  type InferenceJob,
  type InferenceResult,
  isFinalState,
  type JobState,
  type StartRecord,
} from "@forebay/queue-contracts";
import type { EtaMs } from "../../admission/forecasts.ts";
import { etaView } from "./eta-view.ts";
import type { ErrorView, JobSummary, JobView, ResultView, TimelineEntry } from "./job-view-schema.ts";

/**
 * @param withResult false: for readers who may see that a job ended, but not what it said
 * @param eta of a job that waits
 */
export function jobView(record: JobRecord, withResult: boolean, eta?: EtaMs): JobView {
  const { id, job, state, result } = record;
  return {
    job_id: id,
    state,
    type: job?.type ?? null,
    model: job?.model ?? null,
    lane: job?.lane ?? null,
    created_at: record.createdAt.toISOString(),
    started_at: record.starts.at(-1)?.at ?? null,
    finished_at: record.finishedAt?.toISOString() ?? null,
    queue_position: state === "waiting" ? (record.position ?? null) : null,
    waiting_for: state === "waiting" ? waitingFor(record.standing) : null,
    run_at: runAt(record.createdAt, record.delayMs),
    ...etaView(state === "waiting" ? eta : undefined),
    progress: { tokens: tokensOf(record), percent: null },
    attempts_made: record.attemptsMade,
    attempts_max: record.attemptsMax,
    timeline: timelineOf(record),
    result: result && withResult ? resultView(result) : null,
    usage: result?.usage ?? null,
    error: errorView(record),
    metadata: job?.metadata ?? {},
    links: linksOf(id),
  };
}

/** The view of a job that was accepted this moment. */
export function newJobView(
  id: string,
  job: InferenceJob,
  place: {
    createdAt: Date;
    position: number;
    standing: LimitStanding;
    delayMs: number;
    attemptsMax: number;
    eta: EtaMs | undefined;
  },
): JobView {
  const at = place.createdAt.toISOString();
  const state = place.delayMs > 0 ? "delayed" : "waiting";
  const waiting_for = state === "waiting" ? waitingFor(place.standing) : null;
  return {
    job_id: id,
    state,
    type: job.type,
    model: job.model,
    lane: job.lane,
    created_at: at,
    started_at: null,
    finished_at: null,
    queue_position: state === "waiting" && !waiting_for ? place.position : null,
    waiting_for,
    run_at: runAt(place.createdAt, place.delayMs),
    ...etaView(place.eta),
    progress: { tokens: 0, percent: null },
    attempts_made: 0,
    attempts_max: place.attemptsMax,
    timeline: [{ at, state }],
    result: null,
    usage: null,
    error: null,
    metadata: job.metadata ?? {},
    links: linksOf(id),
  };
}

export function jobSummary(record: JobRecord, eta?: EtaMs): JobSummary {
  const { result: _, ...summary } = jobView(record, false, eta);
  return summary;
}

/** Whose job it is; undefined when the payload does not even say that. */
export function tenantOfRecord(record: JobRecord): string | undefined {
  return record.job?.tenant ?? tenantOf(record.payload);
}

/** What a waiting job waits for, if it is not its turn alone. */
export const waitingFor = (standing: LimitStanding): JobView["waiting_for"] =>
  standing === "met" ? "running_limit" : null;

const linksOf = (id: string): JobView["links"] => ({
  self: `/jobs/${id}`,
  events: `/jobs/${id}/events`,
  cancel: `/jobs/${id}/cancel`,
});

const runAt = (createdAt: Date, delayMs: number): string | null =>
  delayMs === 0 ? null : new Date(createdAt.getTime() + delayMs).toISOString();

function tokensOf({ result, tokens }: JobRecord): number {
  return result && "eval_count" in result ? result.eval_count : tokens;
}

function resultView(result: InferenceResult): ResultView {
  const { v: _, type: __, backend: ___, usage: ____, ...shown } = result;
  return shown;
}

function errorView({ failure, starts }: JobRecord): ErrorView | null {
  if (!failure) return null;
  const { code, message } = failure;
  const attempts = starts
    .filter((start) => start.outcome !== undefined && failedTries.has(start.outcome))
    .map((start) => ({
      at: start.ended_at ?? start.at,
      code: start.code ?? "internal_error",
      message: start.message ?? "",
    }));
  return { code, message, retryable: failureCodes[code].retryable, attempts };
}

const failedTries: ReadonlySet<StartRecord["outcome"]> = new Set(["retry", "discard", "moved"]);

function timelineOf(record: JobRecord): TimelineEntry[] {
  const { state, createdAt, finishedAt, starts } = record;
  const first = record.delayMs > 0 ? "delayed" : "waiting";
  const timeline: TimelineEntry[] = [{ at: createdAt.toISOString(), state: first }];
  for (const [index, start] of starts.entries()) {
    timeline.push({ at: start.at, state: "active", ...(start.backend && { backend: start.backend }) });
    const last = index === starts.length - 1;
    const back = stateAfter(start);
    if (back && start.ended_at && !(last && isFinalState(state))) {
      timeline.push({ at: start.ended_at, state: back });
    }
  }
  if (isFinalState(state) && finishedAt) timeline.push({ at: finishedAt.toISOString(), state });
  return timeline;
}

/** Where a job went after a start that was not its last. */
function stateAfter({ outcome }: StartRecord): JobState | undefined {
  if (outcome === "interrupted" || outcome === "moved") return "waiting";
  if (outcome === "retry" || outcome === "throttled") return "delayed";
  return outcome === "discard" ? "failed" : undefined;
}
