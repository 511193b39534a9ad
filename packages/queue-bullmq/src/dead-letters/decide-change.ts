import type { DeadLetterState } from "@forebay/queue-contracts";
import type { DeadLetterAction, Target } from "./command.ts";

/** What a command means for one letter. `done`: this very command changed it already, before a crash. */
export type Change = "apply" | "done" | "skipped" | "invalid" | "missing";

export type LetterFacts = {
  readonly state: DeadLetterState;
  readonly failedAt: string;
  readonly payloadValid: boolean;
  /** Ids of the actions that changed it lately. */
  readonly changedBy: readonly string[];
};

const statesFor: Record<DeadLetterAction, readonly DeadLetterState[]> = {
  // A redriven letter's job is on its way; only a new failure makes it redrivable again.
  redrive: ["dead", "parked", "dropped"],
  park: ["dead", "dropped"],
  drop: ["dead", "parked"],
  erase: ["dead", "parked", "redriven", "dropped"],
};

/** @param letter undefined: there is none of this id */
export function decideChange(
  action: DeadLetterAction,
  actionId: string | undefined,
  target: Target,
  id: string,
  letter: LetterFacts | undefined,
): Change {
  if (!letter) return "missing";
  // Also if it has failed, and somebody else has decided about it, since: an action acts once.
  if (actionId !== undefined && letter.changedBy.includes(actionId)) return "done";
  if (!statesFor[action].includes(letter.state)) return "skipped";
  // A filter says which letters it means; without a state, those nobody has decided about.
  if ("filter" in target && letter.state !== (target.filter.state ?? "dead")) return "skipped";
  if ("failures" in target) {
    const meant = target.failures.find((failure) => failure.id === id);
    if (letter.state !== "dead" || meant?.failed_at !== letter.failedAt) return "skipped";
  }
  if (action === "redrive" && !letter.payloadValid) return "invalid";
  return "apply";
}
