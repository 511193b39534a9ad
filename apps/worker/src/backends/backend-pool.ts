import type { Backend } from "./backend.ts";
import { chooseBackend } from "./choose-backend.ts";

/** A slot on a host, held for one call. */
export type Slot = { readonly backend: Backend; release(): void };

/** All hosts of this worker. */
export type BackendPool = {
  readonly backends: readonly Backend[];
  /** Calls that may run at once for this model, over all hosts that can serve it now; 0: none can. */
  capacity(model: string): number;
  /** Waits for a free slot; undefined: no host can serve the model now, or the wait was aborted. */
  acquire(model: string, avoid: string | undefined, signal: AbortSignal): Promise<Slot | undefined>;
  /** Something about the hosts changed: whoever waits looks again. */
  wake(): void;
};

export function createBackendPool(backends: readonly Backend[]): BackendPool {
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const resolve of waiting) resolve();
  };
  const wokenOrAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        waiting.delete(end);
        signal.removeEventListener("abort", end);
        resolve();
      };
      waiting.add(end);
      signal.addEventListener("abort", end);
    });
  const capacity = (model: string): number =>
    backends.reduce((sum, each) => sum + (each.serves(model, Date.now()) ? each.slots : 0), 0);

  return {
    backends,
    capacity,
    wake,
    async acquire(model, avoid, signal) {
      while (!signal.aborted && capacity(model) > 0) {
        const backend = chooseBackend(backends, model, avoid, Date.now());
        if (backend) {
          backend.take(model);
          return { backend, release: () => (backend.release(model), wake()) };
        }
        await wokenOrAborted(signal);
      }
      return undefined;
    },
  };
}
