import type { ServerResponse } from "node:http";

/** Aborts when the client has gone before its answer was sent. */
export function closedSignal(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  if (response.destroyed) abort.abort();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort();
  });
  return abort.signal;
}
