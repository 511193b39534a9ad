import type { ApiHandler } from "../../http/api-env.ts";
import { refuseQuery } from "../../http/query.ts";
import { findSchedule } from "./find-schedule.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** `DELETE /schedules/{id}`: jobs it made stay. */
export function deleteSchedule(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const { id } = await findSchedule(deps, caller, context.req.param("id") ?? "");
    await deps.schedules.remove(id);
    deps.events.scheduleChanged(id, "deleted", caller);
    return new Response(null, { status: 204 });
  };
}
