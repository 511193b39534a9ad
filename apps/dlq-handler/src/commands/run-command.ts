import { setTimeout as pause } from "node:timers/promises";
import {
  type ActionCounts,
  appendAudit,
  applyCommand,
  type Change,
  type CommandRun,
  type LetterDeps,
  openTargets,
  QueueDirectoryFullError,
} from "@forebay/queue-bullmq";
import type { DlqEvents } from "../events.ts";

/** Letters between two notes of how far it came; after a kill at most so many are looked at again. */
const chunkSize = 50;

/**
 * Carries a command out, from where an earlier go left it: letter by letter, each of which finds out whether
 * it is done already. Throws when the signal aborts or Redis fails; what is done stays done.
 */
export async function runCommand(
  deps: LetterDeps & { events: DlqEvents },
  run: CommandRun,
): Promise<ActionCounts> {
  const { id, command, signal } = run;
  const ratePerS = command.action === "redrive" ? command.rate_per_s : undefined;
  const targets = await openTargets(deps.space, id, command);
  const counts = { ...run.progress.counts, matched: targets.total };
  for (let next = run.progress.next; next < targets.total; ) {
    const ids = await targets.read(next, ratePerS === undefined ? chunkSize : 1);
    if (ids.length === 0) break;
    for (const letterId of ids) {
      signal.throwIfAborted();
      const change = await applyToLetter(deps, run, letterId);
      counts[countOf[change]]++;
      if (change === "apply" && ratePerS !== undefined) await pause(1_000 / ratePerS, undefined, { signal });
    }
    next += ids.length;
    await run.save({ next, counts });
  }
  await appendAudit(deps.space, id, command, { counts, outcome: "completed" });
  await targets.forget();
  deps.events.actionCompleted(id, command, counts);
  return counts;
}

const countOf = {
  apply: "changed",
  done: "changed",
  skipped: "skipped",
  invalid: "invalid",
  missing: "missing",
  failed: "failed",
} as const satisfies Record<Change | "failed", keyof ActionCounts>;

async function applyToLetter(
  deps: LetterDeps & { events: DlqEvents },
  { id, command }: CommandRun,
  letterId: string,
): Promise<Change | "failed"> {
  try {
    return await applyCommand(deps, command, id, letterId);
  } catch (error) {
    // This one cannot be put where the patch wants it; the others may. Anything else is tried again.
    if (!(error instanceof QueueDirectoryFullError)) throw error;
    deps.events.letterNotChanged(id, letterId, error);
    return "failed";
  }
}
