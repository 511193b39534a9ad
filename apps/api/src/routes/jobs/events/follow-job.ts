import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type LogEntry, readFinalSeq } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { Caller } from "../../../auth/caller.ts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { Problem } from "../../../http/problem.ts";
import { readQuery } from "../../../http/query.ts";
import { findJob, maySeeResult } from "../find-job.ts";
import type { JobDeps } from "../job-deps.ts";
import { jobView } from "../job-view.ts";
import { type JobFeed, openJobFeed } from "./job-feed.ts";
import { parsePosition } from "./parse-position.ts";
import type { SseConnection } from "./sse-connections.ts";
import type { PlaceNews } from "./place-news.ts";
import * as sse from "./sse-frames.ts";

const offsetLost = (): Problem =>
  new Problem(
    "offset_lost",
    "The events after this id are not kept any more, or never were of this job. Begin again without Last-Event-ID, or read the job.",
  );

/** `GET /jobs/{id}/events` */
export function followJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { incoming, outgoing } = context.env;
    const query = readQuery(context.req.url, (name) => name === "after");
    const position = parsePosition(incoming.headers["last-event-id"]?.toString(), query.get("after"));
    const job = await findFollowed(deps, context.get("caller"), context.req.param("id") ?? "", position);
    // EventSource comes back after the last event too; this answer, and no other, tells it to stop.
    if (!job) return new Response(null, { status: 204 });
    await streamEvents(deps, outgoing, job, position);
    return RESPONSE_ALREADY_SENT;
  };
}

/** What is held of a job while it is followed: thousands may be, and payloads are large. */
type Followed = {
  readonly id: string;
  readonly queueName: string;
  readonly model: string | undefined;
  readonly acceptedFrame: string;
};

/** The job, or undefined when the reader has seen all its events. Throws Problem. */
async function findFollowed(
  deps: JobDeps,
  caller: Caller,
  id: string,
  position: number,
): Promise<Followed | undefined> {
  const { record, tenant } = await findJob(deps, caller, id);
  if (!maySeeResult(caller, tenant)) {
    throw new Problem(
      "forbidden",
      "Only admins may follow another tenant's job: its events hold the answer.",
    );
  }
  const { queueName, state } = record;
  if (position > 0 && isFinalState(state) && position === (await readFinalSeq(deps.space, record))) {
    return undefined;
  }
  // Its place is told about while it waits; the log tells of everything else.
  const model = isFinalState(state) ? undefined : record.job?.model;
  return { id, queueName, model, acceptedFrame: sse.acceptedFrame(record) };
}

/** Sends the events after `position`; resolves when the stream is open. Throws Problem, if it is not. */
async function streamEvents(
  deps: JobDeps,
  outgoing: ServerResponse,
  job: Followed,
  position: number,
): Promise<void> {
  let feed: JobFeed | undefined;
  let unfollow = (): void => undefined;
  const stop = (): void => {
    unfollow();
    feed?.stop();
  };
  let begun: SseConnection | undefined;
  // Headers wait for the first event: until then the answer may still be a problem.
  const stream = (): SseConnection => {
    begun ??= deps.streams.open(outgoing, sse.openingFrame, stop);
    return begun;
  };
  // What was read of its place must not come after it was taken.
  let waiting = true;
  const send = (entries: readonly LogEntry[]): void => {
    const last = entries.at(-1);
    if (last) waiting = last.event === "state" && last.data.includes('"waiting"');
    stream().send(sse.entryFrames(entries));
  };
  let refusal: Problem | undefined;
  const refuse = (problem: Problem): void => {
    if (begun) begun.end(sse.errorFrame(problem));
    else refusal = problem;
  };
  feed = await openJobFeed(deps, job, position, {
    accepted: () => stream().send(job.acceptedFrame),
    entries: send,
    ended: (record, seq) => stream().end(sse.endedFrame(seq, jobView(record, true))),
    flowing: () => begun?.flowing() ?? true,
    drained: async () => (await begun?.drained()) ?? !outgoing.destroyed,
    stalled: () => begun?.end(tooSlowFrame),
    lost: () => refuse(offsetLost()),
    broken: () => refuse(interrupted()),
  });
  if (refusal) throw refusal;
  // Nothing has happened yet: the reader still learns at once that it is connected.
  stream();
  const { id, queueName, model } = job;
  if (model !== undefined && !outgoing.writableEnded) {
    const tell = (news: PlaceNews): void => {
      if (waiting) stream().send(sse.placeFrame(news));
    };
    unfollow = deps.places.follow({ id, queueName, model }, tell);
  }
  if (outgoing.destroyed) stop();
}

const interrupted = (): Problem =>
  new Problem("stream_interrupted", "The stream broke off; come back with Last-Event-ID.");

const tooSlowFrame = sse.errorFrame(
  new Problem("reader_too_slow", "This reader fell too far behind; come back with Last-Event-ID to go on."),
);
