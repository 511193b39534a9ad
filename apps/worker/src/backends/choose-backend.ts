import type { Backend } from "./backend.ts";

/**
 * Which host takes the next call for a model, or undefined when none has a free slot: one that did not just
 * fail this job, then one that has the model loaded, then the one with the fewest calls.
 *
 * @param avoid name of the host this job failed on last
 */
export function chooseBackend(
  backends: readonly Backend[],
  model: string,
  avoid: string | undefined,
  now: number,
): Backend | undefined {
  const free = backends.filter((each) => each.serves(model, now) && each.busy(model) < each.slots);
  const rank = (each: Backend): number[] => [
    each.name === avoid ? 1 : 0,
    each.models.some(({ name, loaded }) => loaded && name === model) ? 0 : 1,
    each.busy(model),
  ];
  return free.toSorted((a, b) => compareRanks(rank(a), rank(b)))[0];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
