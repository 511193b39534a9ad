import type { InferenceJob, Lane } from "@forebay/queue-contracts";
import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * Where fair shares are kept: `<prefix>:fair` holds virtual time (`v`, and `v:<queue>` of each queue), the work
 * that waits on each queue (`w:<queue>`, ticks) and the tenants' weights (`t:<tenant>`); `<prefix>:fair:flows`
 * the end of what each flow has asked for (`f:<flow>`) and what it used beyond its estimates (`o:<flow>`).
 */
export function fairKeys(space: QueueSpace): { fair: string; flows: string } {
  return { fair: space.key("fair"), flows: space.key("fair", "flows") };
}

/** What shares a GPU with others: a lane of a tenant. Its text has no space, so that it can stand in a list. */
export function flowOf(tenant: string, lane: Lane): string {
  return `${lane}:${tenant}`;
}

/** A tenant as its flows' keys hold it. */
export function shareOf(job: Pick<InferenceJob, "tenant" | "lane" | "user">): { flow: string; user: string } {
  return { flow: flowOf(job.tenant, job.lane), user: job.user ?? "" };
}
