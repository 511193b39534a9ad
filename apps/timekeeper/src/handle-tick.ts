import { decideTick, runSchedule, type ScheduleStore, type Tick } from "@forebay/queue-bullmq";
import type { TimekeeperEvents } from "./events.ts";

type Deps = Parameters<typeof runSchedule>[0] & {
  readonly store: ScheduleStore;
  readonly events: TimekeeperEvents;
};

/** A schedule is due: its job is put on the queue, unless the time for it was missed. */
export async function handleTick(deps: Deps, { scheduleId, dueAt }: Tick): Promise<void> {
  const { store, events } = deps;
  const schedule = await store.find(scheduleId);
  const now = new Date();
  const decision = decideTick(schedule, dueAt, now);
  if (!schedule || decision === "ignore") return;
  const times = { due_at: dueAt.toISOString(), at: now.toISOString() };
  if (decision === "skip") {
    await store.recordRun(schedule.id, { ...times, outcome: "skipped", job_id: null });
    events.runSkipped(schedule, dueAt);
    return;
  }
  const jobId = await runSchedule(deps, schedule, dueAt);
  await store.recordRun(schedule.id, { ...times, outcome: "started", job_id: jobId });
  events.scheduleRan(schedule, jobId);
}
