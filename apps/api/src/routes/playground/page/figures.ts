import { isFinalState, type JobView } from "@forebay/client";
import { formatDuration } from "./timeline.ts";

export type Figure = { name: string; value: string };

/** The numbers of a job that say something in its state. */
export function figuresOf(job: JobView, live: { nowMs: number; tokensPerS: number | undefined }): Figure[] {
  const { state, model, queue_position, waiting_for, eta_s, run_at, progress, result } = job;
  const figures: Figure[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) figures.push({ name, value });
  };
  add("Model", model ?? undefined);
  if (state === "waiting" && queue_position !== null) {
    add("In the queue", queue_position === 0 ? "next" : `${queue_position} before it`);
  }
  if (waiting_for) add("In the queue", "until another job of the tenant ends");
  if (state === "waiting" && eta_s !== null) add("Starts", formatWait(eta_s));
  if (state === "delayed" && run_at !== null) add("Begins", new Date(run_at).toLocaleTimeString());
  if (progress.tokens > 0) add("Tokens", String(progress.tokens));
  add("Tokens/s", formatSpeed(isFinalState(state) ? finalSpeed(job) : live.tokensPerS));
  for (const [name, ms] of timesOf(job, live.nowMs)) add(name, formatDuration(ms));
  if (result && "done_reason" in result && result.done_reason === "length") add("Ended", "at the limit");
  return figures;
}

function timesOf({ created_at, started_at, finished_at }: JobView, nowMs: number): [string, number][] {
  const created = Date.parse(created_at);
  const ended = finished_at === null ? nowMs : Date.parse(finished_at);
  if (started_at === null) return [[finished_at === null ? "Waiting" : "Waited", ended - created]];
  const started = Date.parse(started_at);
  return [
    ["Waited", started - created],
    [finished_at === null ? "Running" : "Ran", ended - started],
  ];
}

/** By Ollama's own clock, without loading the model and reading the prompt. */
function finalSpeed({ result }: JobView): number | undefined {
  if (result === null || !("eval_count" in result) || result.eval_duration_ms === 0) return undefined;
  return (result.eval_count * 1_000) / result.eval_duration_ms;
}

/** Nobody knows it to a tenth. */
function formatWait(seconds: number): string {
  if (seconds < 1) return "soon";
  return `in ~${seconds < 60 ? `${Math.round(seconds)} s` : formatDuration(seconds * 1_000)}`;
}

function formatSpeed(tokensPerS: number | undefined): string | undefined {
  return tokensPerS?.toFixed(tokensPerS < 100 ? 1 : 0);
}
