import type { QueueSpace } from "../queues/queue-space.ts";
import { changeLetter } from "./change-letter.ts";
import { deadLetterKeys } from "./dead-letter-keys.ts";
import type { DeadLetterSummary } from "./dead-letter-summary.ts";
import { walkDeadLetters } from "./list-dead-letters.ts";
import { eraseLetter } from "./remove-letters.ts";
import { runPipeline } from "./run-pipeline.ts";

/** Marks a letter's change as seen, not done, by us. */
const observed = "observed";

/**
 * Letters that still wait for a decision although their job was put back by its owner become `redriven`.
 * Entries whose letter somebody removed by hand (in Bull Board, say) are forgotten. Returns how many letters
 * were changed.
 */
export async function reconcileLetters(space: QueueSpace, signal: AbortSignal): Promise<number> {
  let changed = 0;
  for (const state of ["dead", "parked"] as const) {
    for await (const chunk of walkDeadLetters(space, { state })) {
      signal.throwIfAborted();
      for (const { position, letter } of chunk) if (!letter) await forgetMissing(space, position.id);
      // By now a letter of the chunk may have another state than the one it was found under.
      const letters = chunk.flatMap(({ letter }) => (letter?.state === state ? [letter] : []));
      for (const letter of await findPutBack(space, letters)) {
        if (await markPutBack(space, letter)) changed++;
      }
    }
  }
  return changed;
}

async function forgetMissing(space: QueueSpace, id: string): Promise<void> {
  if ((await space.client.exists(deadLetterKeys(space).letter(id))) === 0) {
    await eraseLetter(space, id, observed);
  }
}

/** Those whose job is there and has not failed, or failed another time. One that is gone has aged out. */
async function findPutBack(
  space: QueueSpace,
  letters: readonly DeadLetterSummary[],
): Promise<DeadLetterSummary[]> {
  const pipeline = space.client.pipeline();
  for (const letter of letters) {
    pipeline.hmget(space.jobKey(letter.queue, letter.job_id), "timestamp", "finishedOn");
  }
  const replies = (await runPipeline(pipeline)) as (string | null)[][];
  return letters.filter((letter, index) => {
    const [timestamp, finishedOn] = replies[index] ?? [];
    return timestamp && (!finishedOn || Number(finishedOn) !== Date.parse(letter.last_failed_at));
  });
}

async function markPutBack(space: QueueSpace, seen: DeadLetterSummary): Promise<boolean> {
  const changed = await changeLetter(
    space,
    seen.job_id,
    observed,
    (letter) =>
      letter?.state === seen.state && letter.last_failed_at === seen.last_failed_at ? "apply" : "stale",
    (letter) => ({ ...letter, state: "redriven", redrives: letter.redrives + 1 }),
  );
  return changed !== "stale";
}
