import type { DeadLetter } from "@forebay/queue-contracts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { addMark, type LetterMark, readStoredLetter } from "./read-dead-letter.ts";
import { writeDeadLetter } from "./write-dead-letter.ts";

/** A letter as it is now, with the mark of the action that changed it. */
export type ChangedLetter = { readonly letter: DeadLetter; readonly mark: LetterMark };

const triesMax = 20;

/**
 * Changes a letter if `decide` still says so of the letter as it is at that moment; whatever else it says is
 * returned. `apply` makes the new letter; the write carries the action's mark.
 */
export async function changeLetter<No>(
  space: QueueSpace,
  id: string,
  actionId: string,
  decide: (letter: DeadLetter | undefined, marks: readonly LetterMark[]) => "apply" | No,
  apply: (letter: DeadLetter) => DeadLetter,
): Promise<ChangedLetter | No> {
  for (let tries = 0; tries < triesMax; tries++) {
    const stored = await readStoredLetter(space, id);
    const decision = decide(stored?.letter, stored?.marks ?? []);
    if (decision !== "apply") return decision;
    if (!stored?.letter) throw new Error(`there is no dead letter ${id} to change`);
    const letter = apply(stored.letter);
    const mark = { action: actionId, from: letter.queue, failed_at: letter.last_failed_at };
    const write = { letter, rev: stored.rev, marks: addMark(stored.marks, mark) };
    if ((await writeDeadLetter(space, write)) === "written") return { letter, mark };
  }
  throw new Error(`dead letter ${id} was changed by others ${triesMax} times while it was changed`);
}
