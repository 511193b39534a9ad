import { ConnectionError, ForebayError } from "./errors.ts";
import { createLinkedAbort } from "./linked-abort.ts";
import { readProblem } from "./read-problem.ts";
import { asForebayError, open, type Server } from "./request.ts";
import { createSseParser, type SseMessage } from "./sse-parser.ts";

/** The server says something every 10 s; a connection silent for longer than this is dead. Milliseconds. */
const silenceMs = 35_000;

export type EventConnection = {
  /** Ends when the server ended the stream. Throws ForebayError when the connection broke. */
  messages(): AsyncGenerator<SseMessage, void, undefined>;
  /** What the server said last about coming back. */ readonly retryMs: number | undefined;
  close(): void;
};

/**
 * One connection to a job's events after number `after`; undefined when there are no more, ever. Throws
 * ForebayError. Must be closed.
 */
export async function openEventStream(
  server: Server,
  path: string,
  after: number,
  signal: AbortSignal | undefined,
): Promise<EventConnection | undefined> {
  const abort = createLinkedAbort(signal);
  const parser = createSseParser();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const awake = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new ConnectionError("The stream fell silent.")), silenceMs);
  };
  const close = (): void => {
    clearTimeout(timer);
    abort.release();
    abort.abort();
  };
  const broken = (error: unknown): unknown =>
    signal?.aborted ? signal.reason : asForebayError(error, server);

  async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<SseMessage, void, undefined> {
    // Not `for await`: Safari cannot iterate a stream.
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw broken(error);
      });
      if (done) return;
      awake();
      yield* parser.push(value);
    }
  }

  try {
    awake();
    const headers = { accept: "text/event-stream", ...(after > 0 && { "last-event-id": String(after) }) };
    const response = await open(server, { method: "GET", path, headers }, abort.signal);
    if (response.status === 204) {
      close();
      return undefined;
    }
    const body = await checkedBody(response);
    return {
      messages: () => messages(body),
      close,
      get retryMs() {
        return parser.retryMs;
      },
    };
  } catch (error) {
    const thrown = broken(error);
    close();
    throw thrown;
  }
}

async function checkedBody(response: Response): Promise<ReadableStream<Uint8Array>> {
  if (!response.ok) throw await readProblem(response);
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream") && response.body) return response.body;
  const detail = `Instead of events came ${type || "nothing"}: is this the address of a Forebay API?`;
  throw new ForebayError(detail, { status: response.status, code: "unexpected_answer" });
}
