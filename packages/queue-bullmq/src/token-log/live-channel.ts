import type { ChainableCommander } from "ioredis";
import type { QueueSpace } from "../queues/queue-space.ts";

/** Carries a job's new log entries, and an empty message when it ended or changed otherwise. */
export const liveChannel = (space: QueueSpace, id: string): string => space.key("live", id);

/** Tells whoever follows the job to look at it. */
export function announceChange(pipeline: ChainableCommander, space: QueueSpace, id: string): void {
  pipeline.publish(liveChannel(space, id), "");
}
