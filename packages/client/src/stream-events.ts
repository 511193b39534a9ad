import { ConnectionError, ForebayError, OffsetLostError } from "./errors.ts";
import { isEnd, type JobEvent, readEvent } from "./job-event.ts";
import { jobPath } from "./job-path.ts";
import { openEventStream } from "./open-event-stream.ts";
import { createPatience } from "./patience.ts";
import type { CallOptions, Server } from "./request.ts";
import type { SseMessage } from "./sse-parser.ts";

export type StreamOptions = CallOptions & {
  /** Number of the last event already seen; only later ones come. Default 0: all of them. */
  after?: number | undefined;
};

/** A connection that lasted so long was a good one, even if nothing happened meanwhile. Milliseconds. */
const steadyMs = 15_000;

export async function* streamEvents(
  server: Server,
  id: string,
  options: StreamOptions,
): AsyncGenerator<JobEvent, void, undefined> {
  const path = `${jobPath(id)}/events`;
  const patience = createPatience(server.retries, options);
  let seen = options.after ?? 0;
  for (;;) {
    let openedAt = Number.POSITIVE_INFINITY;
    let failure: unknown = new ConnectionError("The server ended the stream before the job had ended.");
    try {
      const connection = await openEventStream(server, path, seen, options.signal);
      if (!connection) return;
      openedAt = Date.now();
      try {
        for await (const message of connection.messages()) {
          // Only where a waiting job stands by now: no event of its log, and it has no number.
          if (message.event === "state" && message.id === undefined) continue;
          const { seq, event } = parseMessage(message);
          if (seq <= seen) continue;
          seen = seq;
          patience.succeeded();
          if (event) yield event;
          if (event && isEnd(event)) return;
        }
      } finally {
        connection.close();
        patience.baseMs = connection.retryMs ?? patience.baseMs;
      }
    } catch (error) {
      failure = error;
    }
    if (Date.now() - openedAt > steadyMs) patience.succeeded();
    await patience.failed(failure);
  }
}

/** Its number, and the event unless it is of a kind this version does not know. Throws ForebayError. */
function parseMessage({ id, event, data }: SseMessage): { seq: number; event: JobEvent | undefined } {
  const fields = parseData(data);
  const seq = Number(id ?? Number.NaN);
  // Says why the stream ends before the job does; it is not the job's and has no number.
  if (event === "error") throw streamError(fields);
  if (!Number.isInteger(seq)) throw new ConnectionError(`An event ${event} came without a number.`);
  return { seq, event: readEvent(event, seq, fields) };
}

function parseData(data: string): object {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, as everything that is not an object.
  }
  throw new ConnectionError("An event came whose data is not a JSON object.");
}

function streamError(fields: { code?: unknown; detail?: unknown }): ForebayError {
  const detail = String(fields.detail ?? "The server ended the stream.");
  if (fields.code === "offset_lost") return new OffsetLostError(detail, { status: 410 });
  // Whatever else interrupts a stream is no reason not to come back.
  return new ForebayError(detail, { status: 503, code: String(fields.code ?? "stream_interrupted") });
}
