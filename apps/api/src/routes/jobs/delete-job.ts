import { removeJob } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { Problem } from "../../http/problem.ts";
import { refuseQuery } from "../../http/query.ts";
import { eraseDeadLetter, eraseOrphanedLetter } from "./erase-dead-letter.ts";
import { findJob } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";

/** `DELETE /jobs/{id}` */
export function deleteJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const wanted = context.req.param("id") ?? "";
    const found = await findJob(deps, caller, wanted).catch(async (error: unknown) => {
      // It has aged out, or was deleted by a request that broke off: its dead letter may hold the payload still.
      const absent = error instanceof Problem && error.code === "job_not_found";
      if (absent && (await eraseOrphanedLetter(deps.space, caller, wanted))) return undefined;
      throw error;
    });
    if (found) {
      const { record, tenant } = found;
      const { id, queueName } = record;
      if (!(await removeJob(deps.space, { id, queueName, tenant }))) {
        throw new Problem("job_active", "The job is running: delete it when it has finished.", {
          job_id: id,
        });
      }
      await eraseDeadLetter(deps.space, caller, record);
    }
    deps.events.jobDeleted(wanted, caller);
    return new Response(null, { status: 204 });
  };
}
