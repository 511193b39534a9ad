import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { refuseQuery } from "../../http/query.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";
import { scheduleView } from "./schedule-view.ts";

/** `GET /schedules` */
export function listSchedules(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const { tenant } = context.get("caller");
    const own = (await deps.schedules.list()).filter((schedule) => schedule.tenant === tenant);
    const now = new Date();
    const views = await Promise.all(
      own.map(async (schedule) => scheduleView(schedule, await deps.schedules.readLastRun(schedule.id), now)),
    );
    return jsonResponse(200, {
      schedules: views.toSorted((a, b) => a.created_at.localeCompare(b.created_at)),
    });
  };
}
