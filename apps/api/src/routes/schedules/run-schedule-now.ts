import { readJob, runSchedule } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { refuseQuery } from "../../http/query.ts";
import { jobNotFound } from "../jobs/find-job.ts";
import { jobView } from "../jobs/job-view.ts";
import { findSchedule } from "./find-schedule.ts";
import type { ScheduleDeps } from "./schedule-deps.ts";

/** `POST /schedules/{id}/run`: one run now, also while paused; the rhythm goes on as it was. */
export function runScheduleNow(deps: ScheduleDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const schedule = await findSchedule(deps, caller, context.req.param("id") ?? "");
    await deps.admission.enter(caller);
    const id = await runSchedule(deps, schedule, undefined);
    const at = new Date().toISOString();
    await deps.schedules.recordRun(schedule.id, { due_at: at, at, outcome: "by_hand", job_id: id });
    deps.events.jobAccepted(id, schedule.job, caller);
    const record = await readJob(deps.space, deps.directory, id);
    if (!record) throw jobNotFound();
    const eta = await deps.forecasts.startOfJob(record);
    return jsonResponse(202, jobView(record, true, eta), { location: `/jobs/${id}` });
  };
}
