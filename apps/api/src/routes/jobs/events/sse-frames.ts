import type { JobRecord, LogEntry } from "@forebay/queue-bullmq";
import type { Problem } from "../../../http/problem.ts";
import type { PlaceNews } from "./place-news.ts";
import type { JobView } from "../job-view-schema.ts";

/** A reader that lost its connection should come back after this long. Milliseconds. */
const retryMs = 2_000;

export const openingFrame = `retry: ${retryMs}\n\n`;
export const heartbeatFrame = ": still here\n\n";

export function acceptedFrame(job: JobRecord): string {
  const state = job.delayMs > 0 ? "delayed" : "waiting";
  return frame(1, "state", { seq: 1, state, at: job.createdAt.toISOString() });
}

const encoded = new WeakMap<readonly LogEntry[], Buffer>();

/** The frames of these entries. Encoded once for all readers that get the same list, as they do what comes live. */
export function entryFrames(entries: readonly LogEntry[]): Buffer {
  const known = encoded.get(entries);
  if (known) return known;
  const frames = Buffer.from(entries.map(entryFrame).join(""));
  encoded.set(entries, frames);
  return frames;
}

/** An entry goes out as its writer wrote it, with its number in front: most are tokens, and there are many. */
function entryFrame({ seq, event, data }: LogEntry): string {
  if (event === "state") return frame(seq, event, withTime(seq, data));
  const rest = data === "{}" ? "}" : `,${data.slice(1)}`;
  return `id: ${seq}\nevent: ${event}\ndata: {"seq":${seq}${rest}\n\n`;
}

export function endedFrame(seq: number, view: JobView): string {
  return frame(seq, view.state, view);
}

/** Where a waiting job stands by now. Not an event of its log: it has no number, and nobody comes back after it. */
export function placeFrame(news: PlaceNews): string {
  return `event: state\ndata: ${JSON.stringify({ state: "waiting", ...news })}\n\n`;
}

/** Says why the stream ends before the job does; has no number, since it is not the job's. */
export function errorFrame(problem: Problem): string {
  const { code, message: detail } = problem;
  return `event: error\ndata: ${JSON.stringify({ code, detail })}\n\n`;
}

function frame(seq: number, event: string, data: object): string {
  return `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function withTime(seq: number, data: string): object {
  const { at_ms, ...rest } = JSON.parse(data) as { at_ms: number; state: string };
  return { seq, ...rest, at: new Date(at_ms).toISOString() };
}
