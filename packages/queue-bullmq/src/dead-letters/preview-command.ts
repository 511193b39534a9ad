import type { QueueSpace } from "../queues/queue-space.ts";
import { type ActionCounts, type DeadLetterAction, noCounts, type Target } from "./command.ts";
import type { DeadLetterSummary } from "./dead-letter-summary.ts";
import { decideChange } from "./decide-change.ts";
import { matchesFilter, walkDeadLetters } from "./list-dead-letters.ts";
import { readSummaries } from "./read-dead-letter.ts";

export type CommandPreview = {
  readonly counts: ActionCounts;
  /** Some of the letters that would be changed. */
  readonly sample: string[];
  /** False: so many letters match that only the newest were looked at. */
  readonly complete: boolean;
};

const sampleSize = 10;
const examinedMax = 50_000;

/** What a command would do if it were given now. Changes nothing. */
export async function previewCommand(
  space: QueueSpace,
  action: DeadLetterAction,
  target: Exclude<Target, { failures: unknown }>,
): Promise<CommandPreview> {
  const preview = { counts: { ...noCounts }, sample: [] as string[], complete: true };
  const note = (id: string, letter: DeadLetterSummary | undefined): void => {
    preview.counts.matched++;
    const change = decideChange(action, undefined, target, id, letter && factsOf(letter));
    preview.counts[change === "apply" || change === "done" ? "changed" : change]++;
    if (change === "apply" && preview.sample.length < sampleSize) preview.sample.push(id);
  };

  if ("ids" in target) {
    const ids = [...new Set(target.ids)];
    const letters = await readSummaries(space, ids);
    for (const [index, id] of ids.entries()) note(id, letters[index]);
    return preview;
  }
  const wanted = { ...target.filter, state: target.filter.state ?? "dead" };
  let examined = 0;
  for await (const chunk of walkDeadLetters(space, wanted)) {
    if (examined >= examinedMax) return { ...preview, complete: false };
    examined += chunk.length;
    for (const { position, letter } of chunk) {
      if (letter && matchesFilter(letter, wanted)) note(position.id, letter);
    }
  }
  return preview;
}

const factsOf = (letter: DeadLetterSummary) => ({
  state: letter.state,
  failedAt: letter.last_failed_at,
  payloadValid: letter.payload_valid,
  changedBy: [],
});
