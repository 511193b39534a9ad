import { defaultLaneWeights, ticksPerMs } from "@forebay/scheduling";

/**
 * A load stops all slots of its host, and calls for another load when the model that had to leave is wanted again.
 * And jobs of one tenant owe each other nothing: with a single one, tags are but the order of arrival.
 */
const swapFactor = 8;
/** A load costs at least so much: what is known of the jobs' own cost is rougher than a fast load is short. */
const loadMsMin = 3_000;

/** What a load counts as in virtual time: so often what a flow of the standard lane would pay for that long. */
export function swapTicks(loadMs: number): number {
  return Math.round((Math.max(loadMs, loadMsMin) * ticksPerMs * swapFactor) / defaultLaneWeights.standard);
}
