import type { Caller } from "../../auth/caller.ts";
import { findJob } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import type { JobView } from "./job-view-schema.ts";

/** A job of the caller's own as it is now. Throws Problem. */
export async function viewOwnJob(deps: JobDeps, caller: Caller, id: string): Promise<JobView> {
  const { record } = await findJob(deps, caller, id);
  return jobView(record, true, await deps.forecasts.startOfJob(record));
}
