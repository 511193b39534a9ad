import { setTimeout as delay } from "node:timers/promises";
import {
  leaveCall as leave,
  type LeftCall,
  type QueueSpace,
  readJobState,
  withdrawLeftCall,
} from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import type { JobDeps } from "../routes/jobs/job-deps.ts";

/**
 * What becomes of a call whose client was cut off before it heard anything, and may be an SDK that makes it again in
 * a moment: its job goes on for as long as that takes, and is cancelled if nobody came for it. One that has ended
 * meanwhile stays to be taken. Should this process die first the job runs to its end.
 */
export async function leaveCall(
  deps: Pick<JobDeps, "space" | "directory"> & { calls: { retryGraceMs: number } },
  call: LeftCall,
  job: { id: string; cancel(): Promise<void> },
): Promise<void> {
  await leave(deps.space, call, job.id);
  await delay(deps.calls.retryGraceMs, undefined, { ref: false });
  if (await hasEnded(deps, job.id)) return;
  if (await withdrawLeftCall(deps.space, call, job.id)) await job.cancel();
}

async function hasEnded(
  { space, directory }: { space: QueueSpace; directory: JobDeps["directory"] },
  id: string,
): Promise<boolean> {
  const state = await readJobState(space, directory, id);
  return state === undefined || isFinalState(state);
}
