import type { DeadLetterState, Failure } from "@forebay/queue-contracts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { DeadLetterSummary } from "./dead-letter-summary.ts";
import { type DeadLetterFilter, matchesFilter, walkDeadLetters } from "./list-dead-letters.ts";

/** Letters that failed in the same way. */
export type DeadLetterGroup = {
  readonly fingerprint: string;
  readonly failure: Failure;
  readonly model: string;
  count: number;
  readonly states: Record<DeadLetterState, number>;
  first_failed_at: string;
  readonly last_failed_at: string;
  /** The letter that failed last. */
  readonly sample: DeadLetterSummary;
};

export type DeadLetterGroups = {
  /** The largest first. */
  readonly groups: DeadLetterGroup[];
  readonly examined: number;
  /** False: only the newest `examined` letters were looked at. */
  readonly complete: boolean;
};

const examinedMax = 50_000;

/** What goes wrong, how often, and an example of each. */
export async function groupDeadLetters(
  space: QueueSpace,
  filter: DeadLetterFilter,
): Promise<DeadLetterGroups> {
  const groups = new Map<string, DeadLetterGroup>();
  let examined = 0;
  const done = (complete: boolean): DeadLetterGroups => ({
    groups: [...groups.values()].toSorted((a, b) => b.count - a.count),
    examined,
    complete,
  });
  for await (const chunk of walkDeadLetters(space, filter)) {
    if (examined >= examinedMax) return done(false);
    examined += chunk.length;
    for (const { letter } of chunk) if (letter && matchesFilter(letter, filter)) addTo(groups, letter);
  }
  return done(true);
}

function addTo(groups: Map<string, DeadLetterGroup>, letter: DeadLetterSummary): void {
  const { fingerprint, failure, model, last_failed_at } = letter;
  const group = groups.get(fingerprint) ?? {
    fingerprint,
    failure,
    model,
    count: 0,
    states: { dead: 0, parked: 0, redriven: 0, dropped: 0 },
    first_failed_at: last_failed_at,
    last_failed_at,
    sample: letter,
  };
  group.count++;
  group.states[letter.state]++;
  // They come newest first.
  group.first_failed_at = last_failed_at;
  groups.set(fingerprint, group);
}
