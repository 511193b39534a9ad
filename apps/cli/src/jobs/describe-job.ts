import { isFinalState, type JobView } from "@forebay/client";
import { formatTable } from "../format-table.ts";
import { answerOf } from "./answer-of.ts";
import { formatSeconds } from "../format-seconds.ts";
import { describeEnd } from "./progress.ts";

/** A job for a person: what it is, how it went, and what came of it. */
export function describeJob(job: JobView): string {
  const { job_id, state, type, model, lane, metadata, error, attempts_made, attempts_max } = job;
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  const rows = [
    ["job", job_id],
    ["state", state.replace("_", " ")],
    ["model", `${model ?? "unknown"} (${type ?? "unknown"}, ${lane ?? "unknown"} lane)`],
    ...(job.queue_position === null ? [] : [["before it", String(job.queue_position)]]),
    ...(job.waiting_for ? [["waits for", "another job of its tenant to end; no more may run at once"]] : []),
    ...(job.eta_s === null ? [] : [["starts", `in about ${formatSeconds(job.eta_s * 1_000)}`]]),
    ...(job.run_at === null || isFinalState(state) ? [] : [["begins", job.run_at]]),
    ...(attempts_made > 1 || error ? [["tries", `${attempts_made} of ${attempts_max}`]] : []),
    ...(pairs.length === 0 ? [] : [["metadata", pairs.join(", ")]]),
    ...historyOf(job),
    ...(state === "completed" ? [["result", describeEnd(job)]] : []),
    ...(error
      ? [["error", `${error.message} (${error.code}${error.retryable ? ", may be tried again" : ""})`]]
      : []),
  ];
  const answer = answerOf(job, false);
  return `${formatTable(rows)}${answer === "" ? "" : `\n${answer}\n`}`;
}

function historyOf(job: JobView): string[][] {
  const begun = Date.parse(job.created_at);
  return job.timeline.map(({ at, state, backend }, index) => {
    const when = index === 0 ? at : `+${formatSeconds(Date.parse(at) - begun)}`;
    const where = backend === undefined ? "" : ` on ${backend}`;
    return [index === 0 ? "history" : "", `${when} ${state.replace("_", " ")}${where}`];
  });
}
