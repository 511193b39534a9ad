/** Lets one loop sleep until somebody has news for it. */
export type Wakeup = {
  wake(): void;
  /** Resolves at news, also those since it resolved last, and after `ms` at the latest. */
  wait(ms: number): Promise<void>;
};

export function createWakeup(): Wakeup {
  let news = false;
  let resolve: (() => void) | undefined;
  return {
    wake() {
      news = true;
      resolve?.();
    },
    async wait(ms) {
      if (!news) {
        const waiting = Promise.withResolvers<void>();
        resolve = waiting.resolve;
        const timer = setTimeout(waiting.resolve, ms);
        await waiting.promise;
        clearTimeout(timer);
        resolve = undefined;
      }
      news = false;
    },
  };
}
