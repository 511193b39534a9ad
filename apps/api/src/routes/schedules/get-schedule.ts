import type { ApiHandler } from "../../http/api-env.ts";
import { refuseQuery } from "../../http/query.ts";
import { answerSchedule, findSchedule } from "./find-schedule.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** `GET /schedules/{id}` */
export function getSchedule(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const schedule = await findSchedule(deps, context.get("caller"), context.req.param("id") ?? "");
    return answerSchedule(deps, schedule);
  };
}
