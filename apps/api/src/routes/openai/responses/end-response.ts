import { cancelJob } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { Caller } from "../../../auth/caller.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { waitForJob } from "../../jobs/wait-for-job.ts";
import type { FoundResponse } from "./find-response.ts";

/** A running job is aborted within a second, unless its worker is dead. */
const endsWithinMs = 5_000;

/** Cancels a response's job unless it has ended, and waits until it has, for a while. */
export async function endResponse(
  deps: JobDeps,
  caller: Caller,
  { record, tenant }: FoundResponse,
  signal: AbortSignal,
): Promise<void> {
  const { id, queueName, state } = record;
  if (isFinalState(state)) return;
  const answer = await cancelJob(deps.space, { id, queueName, tenant });
  if (answer === "cancelled" || answer === "stopping") deps.events.jobCancelled(id, caller);
  if (answer === "stopping") await waitForJob(deps, id, isFinalState, { ms: endsWithinMs, signal });
}
