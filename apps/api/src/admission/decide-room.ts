import type { SystemLoad } from "./system-load.ts";

export type RoomLimits = {
  readonly jobsWaitingMax: number;
  readonly backlogSMax: number;
  readonly redisMemoryHighWater: number;
};

export type RoomDecision =
  | { kind: "room" }
  /** Nobody can tell for how long. */
  | { kind: "memory" }
  | { kind: "count"; excess: number }
  | { kind: "work"; backlogS: number; excessS: number };

/**
 * Whether the system takes one more job: first by what protects Redis, then by work, then by their number.
 *
 * @param backlogS seconds of work before a job that would join the end of its model's line; undefined: nobody can tell
 */
export function decideRoom(
  load: Pick<SystemLoad, "memoryUsed" | "waiting">,
  backlogS: number | undefined,
  limits: RoomLimits,
): RoomDecision {
  if (load.memoryUsed >= limits.redisMemoryHighWater) return { kind: "memory" };
  if (backlogS !== undefined && backlogS > limits.backlogSMax) {
    return { kind: "work", backlogS, excessS: backlogS - limits.backlogSMax };
  }
  if (load.waiting < limits.jobsWaitingMax) return { kind: "room" };
  return { kind: "count", excess: load.waiting - limits.jobsWaitingMax + 1 };
}
