import type { ServerResponse } from "node:http";

/**
 * Writes server-sent events as fast as the client reads them. The status is sent with the first, and so are `headers`,
 * as they are then.
 */
export function createSseSender(
  outgoing: ServerResponse,
  headers: () => Readonly<Record<string, string>>,
): (frames: string) => Promise<void> {
  return async (frames) => {
    if (!outgoing.headersSent) outgoing.writeHead(200, { ...streamHeaders, ...headers() });
    if (outgoing.write(frames) || outgoing.destroyed) return;
    await new Promise<void>((resolve) => {
      outgoing.once("drain", resolve).once("close", resolve);
    });
  };
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  // nginx would collect the stream otherwise.
  "x-accel-buffering": "no",
};
