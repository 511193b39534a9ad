import {
  asResponseJob,
  jobIdOfResponse,
  OpenaiRefusal,
  previousNotFound,
  requireAnswered,
  type ResponseJob,
} from "@forebay/openai-format";
import type { JobRecord } from "@forebay/queue-bullmq";
import type { Caller } from "../../../auth/caller.ts";
import { Problem } from "../../../http/problem.ts";
import { findJob, maySeeResult } from "../../jobs/find-job.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";

export type FoundResponse = {
  readonly record: JobRecord;
  readonly tenant: string;
  readonly response: ResponseJob;
};

/** A response that was stored, by its id. Throws OpenaiRefusal: somebody else's and none at all look the same. */
export async function findResponse(deps: JobDeps, caller: Caller, id: string): Promise<FoundResponse> {
  const jobId = jobIdOfResponse(id);
  const found = jobId === undefined ? undefined : await readResponse(deps, caller, jobId);
  if (found && found.response.job.response.store !== false) return found;
  throw new OpenaiRefusal(404, `Response with id '${id.slice(0, 100)}' not found.`, { param: "id" });
}

/** The response of a job, stored or not; undefined: there is none, or not for this caller. */
export async function readResponse(
  deps: JobDeps,
  caller: Caller,
  jobId: string,
): Promise<FoundResponse | undefined> {
  try {
    const { record, tenant } = await findJob(deps, caller, jobId);
    const response = asResponseJob(record);
    return response && maySeeResult(caller, tenant) ? { record, tenant, response } : undefined;
  } catch (error) {
    if (error instanceof Problem && error.code === "job_not_found") return undefined;
    throw error;
  }
}

/** The response another one is to follow. Throws OpenaiRefusal. */
export async function findPrevious(deps: JobDeps, caller: Caller, id: string): Promise<ResponseJob> {
  try {
    return requireAnswered((await findResponse(deps, caller, id)).response);
  } catch (error) {
    if (error instanceof OpenaiRefusal && error.status === 404) throw previousNotFound(id.slice(0, 100));
    throw error;
  }
}
