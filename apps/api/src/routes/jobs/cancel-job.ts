import { cancelJob as cancelOnQueue } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { Problem } from "../../http/problem.ts";
import { refuseQuery } from "../../http/query.ts";
import { findJob, jobNotFound, maySeeResult } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";

/** `POST /jobs/{id}/cancel` */
export function cancelJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const { record, tenant } = await findJob(deps, caller, context.req.param("id") ?? "");
    const { id, queueName } = record;
    // A job that ended is told apart before its sets are touched; the script decides for all others.
    const answer = isFinalState(record.state)
      ? "ended_before"
      : await cancelOnQueue(deps.space, { id, queueName, tenant });
    switch (answer) {
      case "cancelled":
      case "stopping": {
        deps.events.jobCancelled(id, caller);
        const found = await findJob(deps, caller, id);
        return jsonResponse(202, jobView(found.record, maySeeResult(caller, tenant)));
      }
      case "ended_before":
        throw new Problem("already_finished", "The job has finished: there is nothing to cancel.", {
          job_id: id,
        });
      case "missing":
        throw jobNotFound();
    }
  };
}
