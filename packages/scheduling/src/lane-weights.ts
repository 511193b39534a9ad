import type { Lane } from "@forebay/queue-contracts";

/** How much of a contended GPU a lane of a tenant gets, relative to the others. */
export type LaneWeights = Readonly<Record<Lane, number>>;

export const defaultLaneWeights: LaneWeights = { interactive: 16, standard: 4, batch: 1 };
