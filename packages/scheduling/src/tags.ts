/**
 * Virtual time is counted in ticks: one tick is one microsecond of a GPU's slot for a flow of weight 1. A flow of
 * weight 4 pays a quarter of a tick for each. The start tag of a waiting job is its BullMQ priority.
 */
export const ticksPerMs = 1_000;

/**
 * Where virtual time begins. BullMQ's own `add` takes priorities up to 2^21 - 1, so a waiting job below this was
 * put by somebody who knows nothing of tags; being below, it stands in front of all that are tagged, where it is
 * found at once and gets its tag.
 */
export const tagFloor = 2 ** 22;

/** BullMQ's score of a priority: the priority in the upper bits, a counter in the lower 32. */
export const scorePerTag = 2 ** 32;

export function tagOfScore(score: number): number {
  return Math.floor(score / scorePerTag);
}
