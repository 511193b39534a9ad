import { pause } from "./pause.ts";
import type { CallOptions } from "./request.ts";
import { isPassing, retryDelayMs } from "./retry-policy.ts";

/** How long a server that did answer once may then be away: a restart, a deployment. Milliseconds. */
const awayMsMax = 10 * 60_000;

/** How often and how fast to come back to a server, for calls that last. */
export type Patience = {
  /** The server answered. */
  succeeded(): void;
  /** Waits for the next try, or throws the error: it will not pass, or has lasted too long. */
  failed(error: unknown, deadlineMs?: number): Promise<void>;
  /** Milliseconds before the first repetition, as the server wishes. */
  baseMs: number;
};

/** @param retries bears with so many failures before the first success; after it, with ten minutes of them */
export function createPatience(retries: number, { signal, onRetry }: CallOptions): Patience {
  let answered = false;
  let failures = 0;
  let failingSince = 0;
  const patience: Patience = {
    baseMs: 500,
    succeeded() {
      answered = true;
      failures = 0;
    },
    async failed(error, deadlineMs = Number.POSITIVE_INFINITY) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
      const now = Date.now();
      failures++;
      if (failures === 1) failingSince = now;
      if (answered ? now - failingSince > awayMsMax : failures > retries) throw error;
      const { baseMs } = patience;
      const delayMs = retryDelayMs({ failures, baseMs, retryAfterS: error.retryAfterS }, Math.random());
      if (now + delayMs > deadlineMs) throw error;
      onRetry?.({ error, delayMs });
      await pause(delayMs, signal);
    },
  };
  return patience;
}
