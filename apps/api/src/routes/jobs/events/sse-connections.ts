import type { ServerResponse } from "node:http";

/** Bytes on their way to a reader beyond which it gets no more until it has read them. */
const bytesBehindMax = 64 * 1024;

/** One open event stream. */
export type SseConnection = {
  send(frame: string | Buffer): void;
  /** Sends a last frame and ends the stream. */
  end(frame: string): void;
  /** Whether the reader keeps up. */
  flowing(): boolean;
  /** Resolves true when the reader has room again, false when it read nothing for too long or is gone. */
  drained(): Promise<boolean>;
};

/** All event streams of the process; one timer keeps them all awake. */
export type SseConnections = Disposable & {
  /**
   * Takes over a response.
   *
   * @param onClose called once, when the stream is over for whatever reason
   * @param lastWords what a reader is told when this process ends the stream before its end
   */
  open(response: ServerResponse, first: string, onClose: () => void, lastWords?: () => string): SseConnection;
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

/**
 * @param options.heartbeatMs proxies cut connections that are silent for a minute, some sooner
 * @param options.onBeat called with every heartbeat that somebody hears
 * @param options.stallMs how long a reader may read nothing of what waits for it
 */
export function openSseConnections(
  heartbeatFrame: string,
  options: { heartbeatMs: number; stallMs: number; onBeat?: () => void },
): SseConnections {
  const open = new Map<ServerResponse, () => string>();
  const heartbeat = setInterval(() => {
    // A reader that does not read needs no more bytes to be kept awake.
    for (const response of open.keys()) if (response.writableLength === 0) response.write(heartbeatFrame);
    if (open.size > 0) options.onBeat?.();
  }, options.heartbeatMs);

  return {
    get size() {
      return open.size;
    },
    open(response, first, onClose, lastWords = () => "") {
      const over = (): boolean => response.writableEnded || response.destroyed;
      let giveUp: NodeJS.Timeout | undefined;
      const closed = (): void => {
        clearTimeout(giveUp);
        open.delete(response);
        onClose();
      };
      if (response.destroyed) {
        // Its `close` has been: nothing would ever take it off the list.
        closed();
      } else {
        response.writeHead(200, headers);
        response.write(first);
        open.set(response.once("close", closed), lastWords);
      }
      return {
        send(frame) {
          if (!over()) response.write(frame);
        },
        end(frame) {
          if (over()) return;
          open.delete(response);
          response.end(frame);
          // One that reads nothing would keep the connection for ever.
          giveUp = setTimeout(() => response.destroy(), options.stallMs).unref();
        },
        flowing: () => response.writableLength <= bytesBehindMax,
        drained: () => drained(response, options.stallMs),
      };
    },
    endAll() {
      for (const [response, lastWords] of open) response.end(lastWords());
      open.clear();
    },
    [Symbol.dispose]: () => clearInterval(heartbeat),
  };
}

async function drained(response: ServerResponse, stallMs: number): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.writableLength <= bytesBehindMax) return true;
  return new Promise((resolve) => {
    const settle = (room: boolean) => () => {
      clearTimeout(timer);
      response.off("drain", onDrain).off("close", onClose);
      resolve(room);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    const timer = setTimeout(onClose, stallMs);
    response.once("drain", onDrain).once("close", onClose);
  });
}
