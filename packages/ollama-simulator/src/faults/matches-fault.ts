import type { Fault } from "./fault.ts";
import { parseModelName } from "../models/model-name.ts";

export type FaultSubject = {
  path: string;
  /** Whether it makes a model work, rather than asking for a list or a state. */
  inference: boolean;
  model: string;
  text: string;
};

export function matchesFault(fault: Fault, subject: FaultSubject): boolean {
  if (fault.match_path !== undefined) {
    if (!subject.path.includes(fault.match_path)) return false;
    // A server that refuses connections refuses them all.
  } else if (!subject.inference && fault.kind !== "refuse") return false;
  if (fault.model !== undefined && parseModelName(fault.model) !== parseModelName(subject.model))
    return false;
  return fault.match_prompt === undefined || subject.text.includes(fault.match_prompt);
}
