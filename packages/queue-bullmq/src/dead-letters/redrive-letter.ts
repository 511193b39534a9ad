import type { DeadLetter, DeliveryPolicy } from "@forebay/queue-contracts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { RedrivePatch, Target } from "./command.ts";
import { type ChangedLetter, changeLetter } from "./change-letter.ts";
import { type Change, decideChange, type LetterFacts } from "./decide-change.ts";
import { isValidPayload } from "./describe-failed-job.ts";
import { patchPayload } from "./patch-payload.ts";
import { finishMove, putJobBack } from "./put-job-back.ts";
import { type LetterMark, readStoredLetter } from "./read-dead-letter.ts";

export type LetterDeps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly policy: DeliveryPolicy;
  /** Called once for every job that was put back, unless the process is killed just then. */
  readonly onRedriven: (letter: DeadLetter) => void;
};

export function factsOf(
  letter: DeadLetter | undefined,
  marks: readonly LetterMark[],
): LetterFacts | undefined {
  if (!letter) return undefined;
  return {
    state: letter.state,
    failedAt: letter.last_failed_at,
    payloadValid: isValidPayload(letter.payload),
    changedBy: marks.map(({ action }) => action),
  };
}

/**
 * Puts the job of a dead letter back on its queue. First the letter says so, then the job is moved: a kill
 * between the two leaves a letter that names this action, and the action goes on from there.
 */
export async function redriveLetter(
  deps: LetterDeps,
  id: string,
  redrive: { actionId: string; target: Target; patch?: RedrivePatch | undefined },
): Promise<Change> {
  const { actionId, target, patch } = redrive;
  const changed = await changeLetter(
    deps.space,
    id,
    actionId,
    (letter, marks) => decideChange("redrive", actionId, target, id, factsOf(letter, marks)),
    (letter) => ({ ...letter, state: "redriven", redrives: letter.redrives + 1 }),
  );
  if (changed === "done") {
    const stored = await readStoredLetter(deps.space, id);
    const mark = stored?.marks.find(({ action }) => action === actionId);
    if (stored?.letter && mark) await finish(deps, { letter: stored.letter, mark }, patch);
    return "done";
  }
  if (typeof changed === "string") return changed;
  await finish(deps, changed, patch);
  deps.onRedriven(changed.letter);
  return "apply";
}

async function finish(
  deps: LetterDeps,
  { letter, mark }: ChangedLetter,
  patch: RedrivePatch | undefined,
): Promise<void> {
  // It has run and failed again since: the letter is about a later failure.
  if (letter.last_failed_at !== mark.failed_at) return finishMove(deps, letter, mark);
  const job = patchPayload(letter.payload, patch);
  if (!job) throw new Error(`the payload of ${letter.job_id} stopped parsing while it was redriven`);
  await putJobBack(deps, { letter, mark, job, patched: patch !== undefined });
}
