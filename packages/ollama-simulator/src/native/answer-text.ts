import type { StruckFaults } from "../faults/fault-book.ts";

/** What a fault makes the model say, if one does. */
export function answerText(faults: StruckFaults): string | undefined {
  if (faults.find("empty") !== undefined) return "";
  return faults.find("answer")?.message;
}
