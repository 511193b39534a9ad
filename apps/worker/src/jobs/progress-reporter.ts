import type { Delivery } from "@forebay/queue-bullmq";

const intervalMs = 250;

/** Reports tokens to the job's view, at most four times a second and one report at a time. */
export function createProgressReporter(delivery: Delivery): {
  report(tokens: number): void;
  /** Resolves when no report is under way. */
  settled(): Promise<void>;
} {
  let lastAt = performance.now();
  let underway: Promise<void> | undefined;
  return {
    report(tokens) {
      if (underway || performance.now() - lastAt < intervalMs) return;
      lastAt = performance.now();
      underway = delivery
        .reportProgress(tokens)
        // Progress is a courtesy: the job does not fail for it.
        .catch(() => undefined)
        .finally(() => {
          underway = undefined;
        });
    },
    settled: async () => underway,
  };
}
