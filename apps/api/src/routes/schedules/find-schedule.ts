import { type Schedule, scheduleIdSchema } from "@forebay/queue-bullmq";
import type { Caller } from "../../auth/caller.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { Problem } from "../../http/problem.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";
import { scheduleView } from "./schedule-view.ts";

/** A schedule of the caller's tenant. Throws Problem: somebody else's and none at all look the same. */
export async function findSchedule(deps: ScheduleDeps, caller: Caller, id: string): Promise<Schedule> {
  const known = scheduleIdSchema.safeParse(id).success ? await deps.schedules.find(id) : undefined;
  if (!known || known.tenant !== caller.tenant) {
    throw new Problem("schedule_not_found", "There is no such schedule: it never was, or was deleted.");
  }
  return known;
}

export async function answerSchedule(
  deps: ScheduleDeps,
  schedule: Schedule,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const lastRun = await deps.schedules.readLastRun(schedule.id);
  return jsonResponse(status, scheduleView(schedule, lastRun, new Date()), headers);
}
