import { createScheduleId, noteRunningMax, type Schedule } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { refuseQuery } from "../../http/query.ts";
import { parseBody } from "../../http/parse-body.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { answerSchedule } from "./find-schedule.ts";
import { refuse, resolveRhythm, resolveTemplate } from "./resolve-schedule.ts";
import { createScheduleSchema } from "./schedule-body.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** `POST /schedules` */
export function createSchedule(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const body = parseBody(createScheduleSchema, await readJsonBody(context.env.incoming, deps.body));
    const caller = context.get("caller");
    const rhythm = resolveRhythm(body);
    if (!rhythm) throw refuse("cron", "or every_ms is required");
    const template = await resolveTemplate(deps, caller, body.job);
    const now = new Date().toISOString();
    const schedule: Schedule = {
      v: 1,
      id: createScheduleId(),
      tenant: caller.tenant,
      name: body.name,
      rhythm,
      missed: body.missed ?? "skip",
      paused: body.paused ?? false,
      ...template,
      created_at: now,
      updated_at: now,
    };
    // Who puts its runs does not know the key.
    await noteRunningMax(deps.space, caller.tenant, deps.admission.runningMaxOf(caller));
    await deps.schedules.save(schedule);
    deps.events.scheduleChanged(schedule.id, "created", caller);
    return answerSchedule(deps, schedule, 201, { location: `/schedules/${schedule.id}` });
  };
}
