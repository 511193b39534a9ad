import { endWaitingJob } from "../jobs/end-waiting-job.ts";
import { readJobOn } from "../jobs/read-job.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { readRedisTimeMs, setDeadline } from "./deadlines.ts";
import { requestStop } from "./request-stop.ts";

/** `stopping`: it runs, and its worker has been told. `ended_before`: what it ended as stands. */
export type CancelAnswer = "cancelled" | "stopping" | "ended_before" | "missing";

/** A wish nobody has fulfilled by then is looked after: its worker may be dead. Milliseconds. */
const stopCheckMs = 3_000;

/**
 * Cancels a job wherever it is. One that waits is cancelled when this returns. One that runs is stopped by its
 * worker, whichever that is, unless it finishes first: its worker alone decides, so it ends once.
 */
export async function cancelJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string | undefined },
): Promise<CancelAnswer> {
  const failure = { code: "cancelled" as const, message: "cancelled on request" };
  const first = await endWaitingJob(space, job, failure);
  if (first !== "running") return first === "ended" ? "cancelled" : first;
  if (!(await requestStop(space, job, "cancelled"))) return "ended_before";
  // It may have gone back to waiting between the two.
  const second = await endWaitingJob(space, job, failure);
  if (second === "ended") return "cancelled";
  if (second === "ended_before") return endedAs(space, job);
  await setDeadline(space, job.id, (await readRedisTimeMs(space)) + stopCheckMs);
  return second === "running" ? "stopping" : second;
}

/** Its worker was quicker than we were: whether it obeyed or had finished, the job says. */
async function endedAs(
  space: QueueSpace,
  job: { id: string; queueName: string },
): Promise<"cancelled" | "ended_before"> {
  const record = await readJobOn(space, job.queueName, job.id);
  return record?.state === "cancelled" ? "cancelled" : "ended_before";
}
