import { type BoundedLine, countLineName } from "./line.ts";
import type { SystemLoad } from "./system-load.ts";

export type RoomDecision =
  | { kind: "room" }
  /** Redis is nearly full; nobody can tell for how long. */
  | { kind: "memory" }
  /** Too many jobs wait, and none is being finished: nobody can tell for how long. */
  | { kind: "stuck" }
  /** This line is full, or room of it is promised: who was promised room may join it. */
  | { kind: "ask"; line: BoundedLine };

/**
 * Whether the system takes one more job: first by what protects Redis, then by the line that is nearest to its limit.
 *
 * @param work the line before the hosts of its model; undefined: nobody can tell how long it is
 */
export function decideRoom(
  load: SystemLoad,
  work: BoundedLine | undefined,
  limits: { readonly jobsWaitingMax: number; readonly redisMemoryHighWater: number },
): RoomDecision {
  if (load.memoryUsed >= limits.redisMemoryHighWater) return { kind: "memory" };
  const count = countLine(load, limits.jobsWaitingMax);
  if (!count && load.waiting >= limits.jobsWaitingMax) return { kind: "stuck" };
  const [line] = [work, count]
    .filter((each) => each !== undefined)
    .filter((each) => each.promised || each.levelMs > each.limitMs)
    .toSorted((a, b) => fullness(b) - fullness(a));
  return line ? { kind: "ask", line } : { kind: "room" };
}

const fullness = ({ levelMs, limitMs }: BoundedLine): number => levelMs / limitMs;

/** All waiting jobs as one line, with one more; undefined while nothing is being finished. */
function countLine({ waiting, finishedPerS, promised }: SystemLoad, max: number): BoundedLine | undefined {
  if (finishedPerS <= 0) return undefined;
  const msPerUnit = 1_000 / finishedPerS;
  const levelMs = (waiting + 1) * msPerUnit;
  const others = { heavy: 0, light: 0 };
  return { name: countLineName, levelMs, msPerUnit, others, promised, limitMs: max * msPerUnit, amount: 1 };
}
