/** One tick of virtual time is a microsecond of a slot, and a flow of the standard lane, of weight 4, pays a quarter. */
const ticksPerMs = 1_000;
const standardWeight = 4;

/** What a load costs in virtual time: what a flow of the standard lane would pay for that long. */
export function swapTicks(loadMs: number): number {
  return Math.round((loadMs * ticksPerMs) / standardWeight);
}
