export type SseEvent = {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
};

/** Thrown for an answer that is no stream. */
export class NoStreamError extends Error {
  readonly status: number;
  constructor(status: number, body: string) {
    super(`status ${status}: ${body}`);
    this.status = status;
  }
}

/** The events of one connection, as they come. `breakAfter`: the reader hangs up after so many events. */
export async function* readEvents(
  url: string,
  after: number,
  options: { breakAfter?: number; signal?: AbortSignal } = {},
): AsyncGenerator<SseEvent> {
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const answer = await fetch(url, { signal, headers: after > 0 ? { "last-event-id": String(after) } : {} });
  if (answer.status !== 200 || !answer.body) throw new NoStreamError(answer.status, await answer.text());
  let text = "";
  let count = 0;
  try {
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = parseFrame(text.slice(0, end));
        text = text.slice(end + 2);
        if (!event) continue;
        yield event;
        if (++count === options.breakAfter) return;
      }
    }
  } finally {
    abort.abort();
  }
}

function parseFrame(frame: string): SseEvent | undefined {
  const fields = new Map(
    frame.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()] as const;
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return undefined;
  return {
    id: Number(fields.get("id") ?? Number.NaN),
    event: fields.get("event") ?? "message",
    data: JSON.parse(data) as Record<string, unknown>,
  };
}
