import type { BatchRecord, BatchStatus } from "@forebay/queue-bullmq";
import { batchStatuses } from "@forebay/queue-bullmq";
import type { Logger, Metrics } from "@forebay/service-runtime";

export type RunnerEvents = ReturnType<typeof createRunnerEvents>;

export function createRunnerEvents(logger: Logger, metrics: Metrics) {
  const batches = metrics.gauge("forebay_batches", "Batches that are not over, by status.", ["status"]);
  const oldest = metrics.gauge(
    "forebay_batch_oldest_seconds",
    "Age of the oldest batch that is not over; 0: there is none.",
    [],
  );
  const ended = metrics.counter("forebay_batches_ended_total", "Batches that are over.", ["status"]);
  const lines = metrics.counter("forebay_batch_lines_total", "Lines written, by the file they went to.", [
    "file",
  ]);
  const inFlight = metrics.gauge("forebay_batch_lines_in_flight", "Lines whose jobs are on a queue.", []);
  const failures = metrics.counter(
    "forebay_batch_run_failures_total",
    "Times the running of a batch broke off for a fault of ours; it goes on.",
    [],
  );
  inFlight.set(0);
  oldest.set(0);

  return {
    batchStarted: ({ id, tenant, endpoint }: BatchRecord, total: number) =>
      logger.info({ batch: id, tenant, endpoint, lines: total }, "batch started"),
    batchEnded({ id, tenant, total, completed, failed }: BatchRecord, status: BatchStatus) {
      ended.inc({ status });
      logger.info({ batch: id, tenant, status, lines: total, completed, failed }, "batch ended");
    },
    linesWritten(completed: number, failed: number) {
      lines.inc({ file: "output" }, completed);
      lines.inc({ file: "error" }, failed);
    },
    linesInFlight: (count: number) => inFlight.set(count),
    batchesSeen(statuses: readonly BatchStatus[], oldestS: number) {
      for (const status of batchStatuses) {
        batches.set({ status }, statuses.filter((each) => each === status).length);
      }
      oldest.set(oldestS);
    },
    runFailed(id: string, error: Error) {
      failures.inc();
      logger.warn({ batch: id, err: error }, "running a batch broke off; it is gone on with");
    },
    filesSwept: (expired: number, orphans: number) =>
      logger.info({ expired, orphans }, "files whose time is up, and blobs of nobody, were removed"),
    upkeepFailed: (error: unknown) => logger.error({ err: error }, "upkeep of files and batches failed"),
    consumerFailed: (error: Error) => logger.error({ err: error }, "queue of batches"),
    redisFailed: (error: Error) => logger.error({ err: error.message }, "redis connection"),
  };
}
