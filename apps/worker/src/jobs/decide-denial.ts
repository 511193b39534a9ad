import type { StartRecord } from "@forebay/queue-contracts";
import type { Classification } from "../failures/classification.ts";

/** A host that lists a model and said so often to one job that it does not know it will not say anything else. */
const denialsMax = 2;

/**
 * What it means that a host does not know a model it lists. Mostly it was taken away a moment ago; but a host whose
 * copy is broken lists it for ever.
 *
 * @param others hosts beside this one that list the model
 * @param earlier starts of this job for the model before this one
 */
export function decideDenial(denial: {
  by: string;
  others: readonly string[];
  earlier: readonly StartRecord[];
  hasFallback: boolean;
}): Pick<Classification, "disposition" | "breaker"> {
  const { by, others, earlier, hasFallback } = denial;
  const mayYetHaveIt = (host: string): boolean =>
    earlier.filter(({ code, backend }) => code === "model_not_found" && backend === host).length < denialsMax;
  // The others serve meanwhile: no need to ask it at every look.
  if (others.some(mayYetHaveIt)) return { disposition: "free", breaker: "model" };
  // Alone, it is waited for, unless another model may stand in.
  return { disposition: !hasFallback && mayYetHaveIt(by) ? "free" : "discard", breaker: "none" };
}
