import type { Metrics } from "@forebay/service-runtime";

export type DlqMetrics = ReturnType<typeof createDlqMetrics>;

export function createDlqMetrics(metrics: Metrics) {
  return {
    queueJobs: metrics.gauge("forebay_queue_jobs", "Jobs on a queue, by state.", ["queue", "model", "state"]),
    queueJobsHeld: metrics.gauge(
      "forebay_queue_jobs_held",
      "Of the jobs waiting on a queue, those passed over because their tenant runs as many as it may.",
      ["queue", "model"],
    ),
    oldestWaiting: metrics.gauge(
      "forebay_queue_oldest_waiting_seconds",
      "Age of the job that has waited longest, those held apart; 0 when none waits.",
      ["queue", "model"],
    ),
    workersLive: metrics.gauge("forebay_workers_live", "Workers whose lease is valid.", []),
    deadLetters: metrics.gauge("forebay_dead_letters", "Dead letters, by state.", ["state"]),
    deadLettersTotal: metrics.counter("forebay_dead_letters_total", "Jobs that became dead letters.", [
      "code",
    ]),
    redrivesTotal: metrics.counter("forebay_redrives_total", "Dead letters that were put back.", ["code"]),
    redisMemoryUsed: metrics.gauge("forebay_redis_memory_used_bytes", "Memory Redis uses.", []),
    redisMemoryMax: metrics.gauge("forebay_redis_memory_max_bytes", "Redis's limit; 0: none is set.", []),
  };
}
