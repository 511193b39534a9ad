/** OpenAI's tiers are our lanes. */
export const laneOfTier = { priority: "interactive", default: "standard", flex: "batch" } as const;
export const tierOfLane = { interactive: "priority", standard: "default", batch: "flex" } as const;
