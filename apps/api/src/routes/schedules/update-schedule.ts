import type { Schedule } from "@forebay/queue-bullmq";
import type { Caller } from "../../auth/caller.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { refuseQuery } from "../../http/query.ts";
import { parseBody } from "../../http/parse-body.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { answerSchedule, findSchedule } from "./find-schedule.ts";
import { resolveRhythm, resolveTemplate } from "./resolve-schedule.ts";
import { patchScheduleSchema, type ScheduleBody } from "./schedule-body.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** `PATCH /schedules/{id}` */
export function updateSchedule(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const schedule = await findSchedule(deps, caller, context.req.param("id") ?? "");
    const body = parseBody(patchScheduleSchema, await readJsonBody(context.env.incoming, deps.body));
    return change(deps, caller, schedule, await patchOf(deps, caller, body));
  };
}

/** `POST /schedules/{id}/pause` and `/resume` */
export function setSchedulePaused(deps: ScheduleDeps, paused: boolean): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const schedule = await findSchedule(deps, caller, context.req.param("id") ?? "");
    return schedule.paused === paused
      ? answerSchedule(deps, schedule)
      : change(deps, caller, schedule, { paused });
  };
}

async function patchOf(deps: ScheduleDeps, caller: Caller, body: ScheduleBody): Promise<Partial<Schedule>> {
  const rhythm = resolveRhythm(body);
  return {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.missed !== undefined && { missed: body.missed }),
    ...(body.paused !== undefined && { paused: body.paused }),
    ...(rhythm && { rhythm }),
    // A whole new job, its deadline included.
    ...(body.job !== undefined && {
      start_deadline_s: undefined,
      ...(await resolveTemplate(deps, caller, body.job)),
    }),
  };
}

async function change(
  deps: ScheduleDeps,
  caller: Caller,
  schedule: Schedule,
  patch: Partial<Schedule>,
): Promise<Response> {
  const changed = { ...schedule, ...patch, updated_at: new Date().toISOString() };
  await deps.schedules.save(changed);
  deps.events.scheduleChanged(schedule.id, "changed", caller);
  return answerSchedule(deps, changed);
}
