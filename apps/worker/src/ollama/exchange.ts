import type { Dispatcher } from "undici";

export type Exchange = Pick<Dispatcher.DispatchOptions, "origin" | "path" | "method" | "headers" | "body">;

/**
 * One request, whose answer is handed over as it comes. undici's own `request` makes a stream of every answer, which
 * costs more than all else of a short call.
 *
 * @param onData what it throws ends the exchange
 * @returns the status, once the answer is whole. Rejects with the signal's reason when it aborts, with what `onData`
 * threw, or with an error of undici.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Exchange,
  signal: AbortSignal,
  onData: (chunk: Buffer, status: number) => void,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let status = 0;
  let running: Dispatcher.DispatchController | undefined;
  const abort = (): void => {
    running?.abort(signal.reason as Error);
    // It may still wait for a connection, which need not come.
    reject(signal.reason as Error);
  };
  const settled = (): void => signal.removeEventListener("abort", abort);
  signal.addEventListener("abort", abort, { once: true });
  dispatcher.dispatch(request, {
    onRequestStart(controller) {
      running = controller;
      if (signal.aborted) abort();
    },
    onResponseStart(_controller, statusCode) {
      status = statusCode;
    },
    onResponseData: (_controller, chunk) => onData(chunk, status),
    onResponseEnd() {
      settled();
      resolve(status);
    },
    onResponseError(_controller, error) {
      settled();
      reject(error);
    },
  });
  return promise;
}
