import { nextRuns, type ScheduleStore } from "@forebay/queue-bullmq";
import type { TimekeeperEvents } from "./events.ts";

/**
 * Makes BullMQ's ticks agree with the stored schedules: one that lost its next job would stay silent. Also
 * measures how late the latest schedule is.
 */
export async function assertSchedules(
  store: ScheduleStore,
  events: TimekeeperEvents,
  now: Date,
): Promise<void> {
  const schedules = await store.list();
  await store.removeStrayTicks(schedules);
  let overdueS = 0;
  for (const schedule of schedules) {
    const due = schedule.paused ? undefined : await dueSince(store, schedule);
    if (due) overdueS = Math.max(overdueS, (now.getTime() - due.getTime()) / 1_000);
    await store.assertTicks(schedule);
  }
  const paused = schedules.filter((schedule) => schedule.paused).length;
  events.schedulesSeen({ running: schedules.length - paused, paused }, overdueS);
}

/** When the schedule's next run after its last one is or was due. */
async function dueSince(
  store: ScheduleStore,
  schedule: Parameters<ScheduleStore["assertTicks"]>[0],
): Promise<Date | undefined> {
  const last = await store.readLastRun(schedule.id);
  const since = [schedule.updated_at, last?.due_at ?? schedule.updated_at].toSorted().at(-1);
  return nextRuns(schedule.rhythm, new Date(since ?? schedule.updated_at), 1)[0];
}
