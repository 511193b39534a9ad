/** How many calls of a model at once a host is good for, as learned so far. A plain value. */
export type LearnedSlots = {
  readonly slots: number;
  /** More than this was tried and brought nothing; undefined: the end has not been found. */
  readonly ceiling: number | undefined;
  /** When the ceiling is doubted again, in milliseconds. */ readonly doubtAt: number;
  /** Tokens per second of all calls together, by how many ran. */ readonly rates: Readonly<
    Record<number, number>
  >;
  /** Calls at the present number. */ readonly calls: number;
};

/** One call that ended. */
export type SlotSample = {
  /** Calls of the model that ran beside it, itself included, the whole time. */ readonly running: number;
  readonly tokensPerS: number;
  /** Its share of time in which Ollama let it wait for a slot of the model. */ readonly waitedShare: number;
};

/** Models of these families Ollama gives one slot, whatever it is told; and all that only embed. */
const oneAtATime = /^(mllama|qwen3vl|qwen35|qwen3next|lfm2|nemotron_h)/;

export function isForcedToOne(model: {
  families: readonly string[];
  capabilities: readonly string[];
}): boolean {
  const embeds = model.capabilities.includes("embedding") && !model.capabilities.includes("completion");
  return embeds || model.families.some((family) => oneAtATime.test(family));
}

const slotsMax = 16;
/** Calls at one number before the next is tried: fewer say little about a rate. */
const callsEach = 4;
/** One more slot must bring this much, or it only makes every answer slower. */
const gainMin = 1.1;
/** Having waited this long a call had no slot of its own. */
const waitedShareMax = 0.2;
const doubtMs = 10 * 60_000;
const smoothing = 0.3;

export const oneSlot: LearnedSlots = { slots: 1, ceiling: undefined, doubtAt: 0, rates: {}, calls: 0 };

/**
 * Learns from one more call: starts at one, and tries one more as long as that made the host faster. Ollama's
 * own number of slots shows by calls that it let wait.
 */
export function learnSlots(known: LearnedSlots, sample: SlotSample, nowMs: number): LearnedSlots {
  const state = nowMs >= known.doubtAt ? { ...known, ceiling: undefined } : known;
  if (sample.running > 1 && sample.waitedShare > waitedShareMax) {
    const slots = Math.max(1, Math.min(state.slots, sample.running - 1));
    return { ...state, slots, ceiling: slots, doubtAt: nowMs + doubtMs, calls: 0 };
  }
  // Only while all its slots were taken does it tell what they are good for.
  if (sample.running !== state.slots) return state;
  const rate = sample.tokensPerS * sample.running;
  const earlier = state.rates[state.slots];
  const mean = earlier === undefined ? rate : earlier + smoothing * (rate - earlier);
  const rates = { ...state.rates, [state.slots]: mean };
  const calls = state.calls + 1;
  if (calls < callsEach) return { ...state, rates, calls };
  const below = rates[state.slots - 1];
  if (below !== undefined && mean < below * gainMin) {
    const slots = state.slots - 1;
    return { slots, ceiling: slots, doubtAt: nowMs + doubtMs, rates, calls: 0 };
  }
  const most = Math.min(state.ceiling ?? slotsMax, slotsMax);
  return { ...state, rates, calls: 0, slots: Math.min(state.slots + 1, most) };
}
