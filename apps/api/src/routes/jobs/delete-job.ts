import { removeJob } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { Problem } from "../../http/problem.ts";
import { refuseQuery } from "../../http/query.ts";
import { eraseDeadLetter } from "./erase-dead-letter.ts";
import { findJob } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";

/** `DELETE /jobs/{id}` */
export function deleteJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const { record, tenant } = await findJob(deps, caller, context.req.param("id") ?? "");
    const { id, queueName } = record;
    if (!(await removeJob(deps.space, { id, queueName, tenant }))) {
      throw new Problem("job_active", "The job is running: delete it when it has finished.", { job_id: id });
    }
    await eraseDeadLetter(deps.space, caller, id);
    deps.events.jobDeleted(id, caller);
    return new Response(null, { status: 204 });
  };
}
