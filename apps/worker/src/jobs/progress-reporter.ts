import type { Delivery } from "@forebay/queue-bullmq";

const intervalMs = 250;
const readersIntervalMs = 1_000;

/**
 * Reports tokens to the job's view, at most four times a second and one report at a time.
 *
 * @param options.tellReaders also to who follows its events, each second, where its log holds no tokens
 */
export function createProgressReporter(
  delivery: Pick<Delivery, "reportProgress" | "appendProgress">,
  options: { tellReaders: boolean },
): {
  report(tokens: number): void;
  /** Resolves when no report is under way. */
  settled(): Promise<void>;
} {
  let lastAt = performance.now();
  let toldAt = lastAt;
  let underway: Promise<void> | undefined;
  const send = async (tokens: number): Promise<void> => {
    const now = performance.now();
    const tell = options.tellReaders && now - toldAt >= readersIntervalMs;
    if (tell) toldAt = now;
    // Progress is a courtesy: the job does not fail for it.
    await Promise.allSettled([
      delivery.reportProgress(tokens),
      tell ? delivery.appendProgress(tokens) : undefined,
    ]);
  };
  return {
    report(tokens) {
      if (underway || performance.now() - lastAt < intervalMs) return;
      lastAt = performance.now();
      underway = send(tokens).finally(() => {
        underway = undefined;
      });
    },
    settled: async () => underway,
  };
}
