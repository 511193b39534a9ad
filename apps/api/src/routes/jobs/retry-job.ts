import { JobNotFailedError, retryJob as putBack } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { Problem } from "../../http/problem.ts";
import { refuseQuery } from "../../http/query.ts";
import { findJob, maySeeResult } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";

/** `POST /jobs/{id}/retry` */
export function retryJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const { record, tenant } = await findJob(deps, caller, context.req.param("id") ?? "");
    const { id, queueName, failure } = record;
    if (!failure) throw notRetryable(id);
    // It becomes an open job like a new one, and needs a place like one.
    await deps.admission.enter(caller);
    try {
      await putBack(deps.space, { id, queueName, tenant });
    } catch (error) {
      if (error instanceof JobNotFailedError) throw notRetryable(id);
      throw error;
    }
    deps.events.jobRetried(id, caller);
    const found = await findJob(deps, caller, id);
    const eta = await deps.forecasts.startOfJob(found.record);
    return jsonResponse(202, jobView(found.record, maySeeResult(caller, tenant), eta));
  };
}

function notRetryable(id: string): Problem {
  const detail = "Only a job that failed, expired, timed out or was cancelled can be retried.";
  return new Problem("not_retryable", detail, { job_id: id });
}
