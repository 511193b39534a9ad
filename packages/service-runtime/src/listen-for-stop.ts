/** Why a process is to stop: a signal from outside, or an error nobody handled. */
export interface StopRequest {
  reason: string;
  signal?: NodeJS.Signals;
  error?: unknown;
}

interface StopListener {
  requestStop(stop: StopRequest): void;
}

// One Ctrl-C arrives up to three times: from the terminal to the whole process group, and once more from
// each runner between (npm, sh) that passes it on. A person's second Ctrl-C comes later than that.
const sameInterruptMs = 1_000;

/**
 * Installs this process's handlers of signals and unhandled errors, and keeps it alive until the first of
 * them; a signal after that calls `onSecondSignal`.
 */
export function listenForStop(onSecondSignal: () => void): {
  requested: Promise<StopRequest>;
  listener: StopListener;
} {
  const { promise: requested, resolve } = Promise.withResolvers<StopRequest>();
  const keepAlive = setInterval(() => undefined, 60_000);
  let first: { signal: string; at: number } | undefined;

  function onSignal(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (first === undefined) {
      first = { signal, at: now };
      resolve({ reason: "signal", signal });
    } else if (signal !== "SIGINT" || first.signal !== signal || now - first.at > sameInterruptMs) {
      onSecondSignal();
    }
  }
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("unhandledRejection", (error) => resolve({ reason: "unhandled rejection", error }));
  process.on("uncaughtException", (error) => resolve({ reason: "uncaught exception", error }));
  void requested.then(() => clearInterval(keepAlive));
  return { requested, listener: { requestStop: resolve } };
}
