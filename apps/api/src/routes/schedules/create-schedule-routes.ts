import { Hono } from "hono";
import type { ApiEnv } from "../../http/api-env.ts";
import { createSchedule } from "./create-schedule.ts";
import { deleteSchedule } from "./delete-schedule.ts";
import { getSchedule } from "./get-schedule.ts";
import { listSchedules } from "./list-schedules.ts";
import { runScheduleNow } from "./run-schedule-now.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";
import { setSchedulePaused, updateSchedule } from "./update-schedule.ts";

export function createScheduleRoutes(deps: ScheduleDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", createSchedule(deps));
  routes.get("/", listSchedules(deps));
  routes.get("/:id", getSchedule(deps));
  routes.patch("/:id", updateSchedule(deps));
  routes.delete("/:id", deleteSchedule(deps));
  routes.post("/:id/pause", setSchedulePaused(deps, true));
  routes.post("/:id/resume", setSchedulePaused(deps, false));
  routes.post("/:id/run", runScheduleNow(deps));
  return routes;
}
