import type { JobView } from "@forebay/client";
import { formatSeconds } from "../format-seconds.ts";

/** What is known of an answer while it is made. */
export type LiveFigures = {
  tokens: number;
  tokensPerS: number | undefined;
  /** Most tokens it can have; -1 and -2 mean no limit to Ollama. */
  tokensMax: number | undefined;
};

/** One line: where the job is, how fast it goes, and when it may be done. */
export function describeProgress(job: JobView, live: LiveFigures, nowMs: number): string {
  const since = (at: string): string => formatSeconds(nowMs - Date.parse(at));
  switch (job.state) {
    case "waiting": {
      const { queue_position: before, waiting_for } = job;
      if (waiting_for) return `waiting for another job of its tenant to end · ${since(job.created_at)}`;
      const place = before === null ? "" : before === 0 ? ", next" : `, ${before} before it`;
      const start = job.eta_s === null ? "" : ` · starts in about ${formatSeconds(job.eta_s * 1_000)}`;
      return `waiting${place}${start} · ${since(job.created_at)}`;
    }
    case "delayed":
      return job.run_at !== null && Date.parse(job.run_at) > nowMs
        ? `delayed until ${job.run_at}`
        : "waiting for its next try";
    case "active":
      return ["active" + hostOf(job), ...figuresOf(live), since(job.started_at ?? job.created_at)].join(
        " · ",
      );
    case "completed":
    case "failed":
    case "cancelled":
    case "expired":
    case "timed_out":
      return job.state.replace("_", " ");
  }
}

function hostOf({ timeline }: JobView): string {
  const backend = timeline.at(-1)?.backend;
  return backend === undefined ? "" : ` on ${backend}`;
}

function figuresOf({ tokens, tokensPerS, tokensMax = 0 }: LiveFigures): string[] {
  if (tokens === 0) return ["no token yet"];
  const figures = [tokensMax > 0 ? `${tokens}/${tokensMax} tokens` : `${tokens} tokens`];
  if (tokensPerS === undefined) return figures;
  figures.push(`${tokensPerS.toFixed(1)} tokens/s`);
  if (tokensMax > tokens && tokensPerS > 0) {
    figures.push(`ETA ${formatSeconds(((tokensMax - tokens) * 1_000) / tokensPerS)}`);
  }
  return figures;
}

/** One line about a completed job. */
export function describeEnd({ result, created_at, finished_at }: JobView): string {
  const took = formatSeconds(Date.parse(finished_at ?? created_at) - Date.parse(created_at));
  if (result === null || !("eval_count" in result)) return `completed in ${took}`;
  const { eval_count: tokens, eval_duration_ms: ms, done_reason } = result;
  const parts = [`completed in ${took}`, `${tokens} tokens`];
  if (ms > 0) parts.push(`${((tokens * 1_000) / ms).toFixed(1)} tokens/s`);
  if (done_reason === "length") parts.push("cut at the limit");
  return parts.join(" · ");
}
