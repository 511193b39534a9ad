import { type FinalState, isFinalState, type JobState, type JobView, type JsonValue } from "./job-view.ts";

/** The last event of a job: how it ended, and the whole job. */
export type EndEvent = { event: FinalState; seq: number; job: JobView };

/**
 * What happens to a job, in order; `seq` rises by one from 1. The texts of its `token` events since the last
 * `restart`, put together, are the text of its result.
 */
export type JobEvent =
  | { event: "state"; seq: number; state: JobState; at: string; attempt?: number }
  /** About every second while an answer is made; tokens are counted anew in each attempt. */
  | { event: "progress"; seq: number; tokens: number }
  | { event: "token"; seq: number; text?: string; thinking?: string; tool_calls?: JsonValue[] }
  /** A new attempt begins after partial output: drop what came before. */
  | { event: "restart"; seq: number; attempt: number }
  | EndEvent;

const passing: ReadonlySet<string> = new Set(["state", "progress", "token", "restart"]);

export function isEnd(event: JobEvent): event is EndEvent {
  return !passing.has(event.event);
}

/** An event from its name, number and data on the wire; undefined for a kind this version does not know. */
export function readEvent(name: string, seq: number, data: object): JobEvent | undefined {
  if (passing.has(name)) return { ...data, event: name, seq } as JobEvent;
  if (!("state" in data) || data.state !== name) return undefined;
  const job = data as JobView;
  return isFinalState(job.state) ? { event: job.state, seq, job } : undefined;
}
