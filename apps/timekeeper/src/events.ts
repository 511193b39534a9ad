import type { Schedule } from "@forebay/queue-bullmq";
import type { Logger, Metrics } from "@forebay/service-runtime";

export type TimekeeperEvents = ReturnType<typeof createTimekeeperEvents>;

export function createTimekeeperEvents(logger: Logger, metrics: Metrics) {
  const ended = metrics.counter("forebay_jobs_overdue_total", "Jobs the clock ended, by how.", ["state"]);
  const runs = metrics.counter(
    "forebay_schedule_runs_total",
    "Times a schedule was due, by what became of it.",
    ["outcome"],
  );
  const schedules = metrics.gauge("forebay_schedules", "Schedules there are.", ["state"]);
  const overdue = metrics.gauge(
    "forebay_schedule_overdue_seconds",
    "How long the schedule that is latest should have run already; 0: none is late.",
    [],
  );
  overdue.set(0);

  return {
    jobEnded(id: string, state: string) {
      ended.inc({ state });
      logger.info({ job_id: id, state }, "job ended by the clock");
    },
    scheduleRan(schedule: Schedule, jobId: string) {
      runs.inc({ outcome: "started" });
      logger.info({ schedule: schedule.id, tenant: schedule.tenant, job_id: jobId }, "schedule ran");
    },
    runSkipped(schedule: Schedule, dueAt: Date) {
      runs.inc({ outcome: "skipped" });
      logger.warn({ schedule: schedule.id, due_at: dueAt }, "run missed and skipped");
    },
    schedulesSeen(counts: { running: number; paused: number }, overdueS: number) {
      schedules.set({ state: "running" }, counts.running);
      schedules.set({ state: "paused" }, counts.paused);
      overdue.set(overdueS);
    },
    sweepFailed: (error: unknown) => logger.error({ err: error }, "looking for overdue jobs failed"),
    assertFailed: (error: unknown) => logger.error({ err: error }, "asserting schedules failed"),
    tickFailed: (error: Error) => logger.error({ err: error }, "a tick failed; it comes again"),
    redisFailed: (error: Error) => logger.error({ err: error.message }, "redis connection"),
  };
}
