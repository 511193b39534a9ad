import type { StartRecord } from "@forebay/queue-contracts";

/** Those of a job's earlier starts that were with the model it has now: what another one did says nothing of it. */
export function startsWithModel(starts: readonly StartRecord[]): readonly StartRecord[] {
  return starts.slice(starts.findLastIndex(({ outcome }) => outcome === "moved") + 1);
}
