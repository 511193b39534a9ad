import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { readFinalSeq } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { Problem } from "../../../http/problem.ts";
import { readQuery } from "../../../http/query.ts";
import { type FoundJob, findJob, maySeeResult } from "../find-job.ts";
import type { JobDeps } from "../job-deps.ts";
import { jobView } from "../job-view.ts";
import { type FeedSink, type JobFeed, openJobFeed } from "./job-feed.ts";
import { parsePosition } from "./parse-position.ts";
import type { SseConnection } from "./sse-connections.ts";
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
    const caller = context.get("caller");
    const found = await findJob(deps, caller, context.req.param("id") ?? "");
    if (!maySeeResult(caller, found.tenant)) {
      throw new Problem(
        "forbidden",
        "Only admins may follow another tenant's job: its events hold the answer.",
      );
    }
    // EventSource comes back after the last event too; this answer, and no other, tells it to stop.
    if (await hasSeenAll(deps, found, position)) return new Response(null, { status: 204 });

    let feed: JobFeed | undefined;
    let begun: SseConnection | undefined;
    // Headers wait for the first event: until then the answer may still be a problem.
    const stream = (): SseConnection => {
      begun ??= deps.streams.open(outgoing, sse.openingFrame, () => feed?.stop());
      return begun;
    };
    let refusal: Problem | undefined;
    const refuse = (problem: Problem): void => {
      if (begun) begun.end(sse.errorFrame(problem));
      else refusal = problem;
    };
    const sink: FeedSink = {
      accepted: () => stream().send(sse.acceptedFrame(found.record)),
      entries: (entries) => stream().send(sse.entryFrames(entries)),
      ended: (job, seq) => stream().end(sse.endedFrame(seq, jobView(job, true))),
      flowing: () => begun?.flowing() ?? true,
      drained: async () => (await begun?.drained()) ?? !outgoing.destroyed,
      stalled: () => begun?.end(tooSlowFrame),
      lost: () => refuse(offsetLost()),
      broken: () =>
        refuse(new Problem("stream_interrupted", "The stream broke off; come back with Last-Event-ID.")),
    };
    feed = await openJobFeed(deps, found.record, position, sink);
    if (refusal) throw refusal;
    // Nothing has happened yet: the reader still learns at once that it is connected.
    stream();
    if (outgoing.destroyed) feed.stop();
    return RESPONSE_ALREADY_SENT;
  };
}

async function hasSeenAll(deps: JobDeps, { record }: FoundJob, position: number): Promise<boolean> {
  if (position === 0 || !isFinalState(record.state)) return false;
  return position === (await readFinalSeq(deps.space, record));
}

const tooSlowFrame = sse.errorFrame(
  new Problem("reader_too_slow", "This reader fell too far behind; come back with Last-Event-ID to go on."),
);
