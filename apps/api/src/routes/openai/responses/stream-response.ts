import { asResponseJob, createResponseFold, OpenaiRefusal, type ResponseEvent } from "@forebay/openai-format";
import type { LogEntry } from "@forebay/queue-bullmq";
import type { ServerResponse } from "node:http";
import { createAnswerContinuation } from "../../../calls/continue-answer.ts";
import { Problem } from "../../../http/problem.ts";
import { type FeedSink, type JobFeed, openJobFeed } from "../../jobs/events/job-feed.ts";
import type { SseConnection } from "../../jobs/events/sse-connections.ts";
import { heartbeatFrame } from "../../jobs/events/sse-frames.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import type { FoundResponse } from "./find-response.ts";

/**
 * Sends a response's events with numbers above `after`, what has been and then what comes; resolves when the stream is
 * open. The whole log is folded each time: nothing is kept of a stream but the log itself. Throws Problem and
 * OpenaiRefusal, if it does not open.
 */
export async function streamResponse(
  deps: JobDeps,
  outgoing: ServerResponse,
  { record, response }: FoundResponse,
  after: number,
): Promise<void> {
  const fold = createResponseFold(response, createAnswerContinuation());
  let feed: JobFeed | undefined;
  let begun: SseConnection | undefined;
  let over = false;
  let refusal: Problem | OpenaiRefusal | undefined;

  /** Not the response's but the connection's: the number is that of the last event, to go on from. */
  const lastWords = (code: string, message: string): string => {
    const sequence_number = Math.max(fold.last, after);
    const event = { type: "error", code, message, param: null, sequence_number };
    return frame(event);
  };
  // Headers wait for the first event: until then the answer may still be a refusal.
  const stream = (): SseConnection => {
    const farewell = (): string =>
      lastWords("stream_interrupted", "This server stops; go on from the number.");
    begun ??= deps.streams.open(outgoing, heartbeatFrame, () => feed?.stop(), farewell);
    return begun;
  };
  const stop = (): void => {
    over = true;
    feed?.stop();
  };
  const refuse = (why: Problem | OpenaiRefusal): void => {
    if (over) return;
    stop();
    if (begun) begun.end(lastWords(codeOf(why), why.message));
    else refusal = why;
  };
  const send = (events: readonly ResponseEvent[]): void => {
    if (over) return;
    const fresh = events.filter((event) => event.sequence_number > after).map(frame);
    if (fold.over && after > fold.last) return refuse(neverSent());
    if (!fold.over) return void (fresh.length > 0 && stream().send(fresh.join("")));
    stop();
    stream().end(fresh.join(""));
  };
  const take = (entry: LogEntry): ResponseEvent[] => {
    const known = fold.last;
    const events = fold.entry(entry);
    const next = fold.last - events.length + 1;
    // Redis came back without events that this reader has: what follows them is not what follows here.
    const unknown = entry.follows !== entry.seq - 1 && known < after && after < next;
    if (unknown) refuse(offsetLost());
    return events;
  };
  const sink: FeedSink = {
    accepted: () => send(fold.begin()),
    entries: (entries) => send(entries.flatMap(take)),
    ended(job) {
      const ended = asResponseJob(job);
      if (ended) send(fold.end(ended));
      else refuse(offsetLost());
    },
    flowing: () => begun?.flowing() ?? true,
    drained: async () => !over && ((await begun?.drained()) ?? !outgoing.destroyed),
    stalled: () => refuse(tooSlow()),
    lost: () => refuse(offsetLost()),
    broken: () =>
      refuse(
        new Problem(
          "stream_interrupted",
          "The response was deleted, or the queue cannot be read; go on from the number.",
        ),
      ),
  };
  feed = await openJobFeed(deps, { id: record.id, queueName: record.queueName }, 0, sink);
  if (refusal) throw refusal;
  if (over) return feed.stop();
  if (after > fold.last) {
    stop();
    throw neverSent();
  }
  stream();
  if (outgoing.destroyed) stop();
}

const frame = (event: { readonly type: string; readonly sequence_number: number }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

const codeOf = (why: Problem | OpenaiRefusal): string =>
  why instanceof Problem ? why.code : (why.extras.code ?? "invalid_request");

const neverSent = (): OpenaiRefusal =>
  new OpenaiRefusal(400, "starting_after: no event of this response has this number yet.", {
    param: "starting_after",
  });

const offsetLost = (): Problem =>
  new Problem(
    "offset_lost",
    "The events after this number are not kept; retrieve the response without stream.",
  );

const tooSlow = (): Problem =>
  new Problem("reader_too_slow", "This reader fell too far behind; go on from the number.");
