import { cancelWaitingJob } from "@forebay/queue-bullmq";
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
      ? "ended"
      : await cancelWaitingJob(deps.space, { id, queueName, tenant });
    switch (answer) {
      case "cancelled": {
        deps.events.jobCancelled(id, caller);
        const found = await findJob(deps, caller, id);
        return jsonResponse(202, jobView(found.record, maySeeResult(caller, tenant)));
      }
      case "running":
        throw new Problem(
          "running_cancel_unsupported",
          "The job is running, and cancelling a running job is not offered yet; it goes on.",
          { job_id: id },
        );
      case "ended":
        throw new Problem("already_finished", "The job has finished: there is nothing to cancel.", {
          job_id: id,
        });
      case "missing":
        throw jobNotFound();
    }
  };
}
