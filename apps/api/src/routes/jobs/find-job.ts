import { type JobRecord, readJob } from "@forebay/queue-bullmq";
import { type Caller, seesAllTenants } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import type { JobDeps } from "./job-deps.ts";
import { tenantOfRecord } from "./job-view.ts";

export type FoundJob = { readonly record: JobRecord; readonly tenant: string };

/** A job the caller may know of. Throws Problem: somebody else's job and no job at all look the same. */
export async function findJob(
  { space, directory }: Pick<JobDeps, "space" | "directory">,
  caller: Caller,
  id: string,
): Promise<FoundJob> {
  const record = await readJob(space, directory, id);
  const tenant = record && tenantOfRecord(record);
  if (!record || (tenant !== caller.tenant && !seesAllTenants(caller))) throw jobNotFound();
  return { record, tenant: tenant ?? "" };
}

export function jobNotFound(): Problem {
  return new Problem("job_not_found", "There is no such job: it never was, was deleted, or has aged out.");
}

/** Prompts and answers of another tenant are for admins alone. */
export function maySeeResult(caller: Caller, tenant: string): boolean {
  return tenant === caller.tenant || caller.role === "admin";
}
