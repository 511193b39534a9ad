import type { ServerResponse } from "node:http";

/** Bytes a reader may be behind before it is cut off: some minutes of one generation. */
const bytesBehindMax = 256 * 1024;

/** One open event stream. */
export type SseConnection = {
  send(frame: string): void;
  /** Sends a last frame and ends the stream. */
  end(frame: string): void;
};

/** All event streams of the process; one timer keeps them all awake. */
export type SseConnections = Disposable & {
  /**
   * Takes over a response. A reader that falls too far behind gets `cutOff` as its last frame.
   *
   * @param onClose called once, when the stream is over for whatever reason
   */
  open(response: ServerResponse, first: string, cutOff: string, onClose: () => void): SseConnection;
  /** Ends every stream: readers come back, to another process. */
  endAll(): void;
  readonly size: number;
};

const headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  // nginx would collect the stream otherwise.
  "x-accel-buffering": "no",
};

/** @param heartbeatMs proxies cut connections that are silent for a minute, some sooner */
export function openSseConnections(heartbeatFrame: string, heartbeatMs = 10_000): SseConnections {
  const open = new Set<ServerResponse>();
  const heartbeat = setInterval(() => {
    // A reader that does not read needs no more bytes to be kept awake.
    for (const response of open) if (response.writableLength === 0) response.write(heartbeatFrame);
  }, heartbeatMs);

  return {
    get size() {
      return open.size;
    },
    open(response, first, cutOff, onClose) {
      response.writeHead(200, headers);
      response.write(first);
      open.add(response);
      response.once("close", () => {
        open.delete(response);
        onClose();
      });
      const end = (frame: string): void => {
        open.delete(response);
        response.end(frame);
        // One that reads nothing would keep the socket for ever.
        if (response.writableLength > 0) response.setTimeout(heartbeatMs, () => response.destroy());
      };
      return {
        send(frame) {
          if (response.writableEnded || response.destroyed) return;
          if (response.writableLength > bytesBehindMax) end(cutOff);
          else response.write(frame);
        },
        end(frame) {
          if (!response.writableEnded && !response.destroyed) end(frame);
        },
      };
    },
    endAll() {
      for (const response of open) response.end();
      open.clear();
    },
    [Symbol.dispose]: () => clearInterval(heartbeat),
  };
}
