import { createHash } from "node:crypto";
import { affinityOf, createJobId, type DeliveryPolicy, jobIdOf, queueTag } from "@forebay/queue-contracts";
import { addJob } from "../jobs/add-job.ts";
import { readRedisTimeMs } from "../control/deadlines.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { Schedule } from "./schedule.ts";

type Deps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly policy: DeliveryPolicy;
};

/**
 * Puts the job of one run on its queue and returns its id. The id follows from schedule and time, so a tick
 * that is delivered twice makes one job.
 *
 * @param dueAt when the run was due; undefined: somebody asked for it now
 */
export async function runSchedule(deps: Deps, schedule: Schedule, dueAt: Date | undefined): Promise<string> {
  const { space, directory, policy } = deps;
  const { job: template, attempts, start_deadline_s: deadlineS } = schedule;
  const affinity = affinityOf({ model: template.model, options: template.request.options });
  const queueName = await directory.ensure(affinity);
  const tag = queueTag(affinity);
  const id = dueAt ? jobIdOf(tag, dueAt.getTime(), digestOf(schedule.id, dueAt)) : createJobId(tag);
  const startBy = deadlineS === undefined ? undefined : (await readRedisTimeMs(space)) + deadlineS * 1_000;
  const job = startBy === undefined ? template : { ...template, start_by: Math.round(startBy) };
  await addJob(space, { id, queueName, job, attempts, policy });
  return id;
}

function digestOf(id: string, dueAt: Date): Uint8Array {
  return createHash("sha256").update(`${id} ${dueAt.getTime()}`).digest();
}
