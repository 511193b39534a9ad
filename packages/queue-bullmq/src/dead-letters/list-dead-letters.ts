import {
  canonicalModelName,
  deadLetterStateSchema,
  failureCodeSchema,
  modelNameSchema,
  nameSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import type { QueueSpace } from "../queues/queue-space.ts";
import { deadLetterKeys } from "./dead-letter-keys.ts";
import type { DeadLetterSummary } from "./dead-letter-summary.ts";
import { readSummaries } from "./read-dead-letter.ts";

/** Which letters: all conditions must hold; none: all letters. */
export const deadLetterFilterSchema = z.strictObject({
  code: failureCodeSchema.optional(),
  model: modelNameSchema.optional(),
  tenant: nameSchema.optional(),
  /** Last failed then or later. */
  since: z.iso.datetime({ offset: true, error: "must be a time such as 2026-01-31T08:00:00Z" }).optional(),
  state: deadLetterStateSchema.optional(),
  fingerprint: z.string().min(1).max(128).optional(),
});
export type DeadLetterFilter = z.infer<typeof deadLetterFilterSchema>;

/** A letter's place in the list: after it, older letters follow. */
export type LetterPosition = { readonly failedMs: number; readonly id: string };

const chunkSize = 200;
/** A filter that matches next to nothing must not read every letter in one request. */
const examinedMax = 5_000;

export function matchesFilter(letter: DeadLetterSummary, filter: DeadLetterFilter): boolean {
  const { code, model, tenant, since, state, fingerprint } = filter;
  return (
    (code === undefined || letter.failure.code === code) &&
    (model === undefined || canonicalModelName(letter.model) === canonicalModelName(model)) &&
    (tenant === undefined || letter.tenant === tenant) &&
    (since === undefined || Date.parse(letter.last_failed_at) >= Date.parse(since)) &&
    (state === undefined || letter.state === state) &&
    (fingerprint === undefined || letter.fingerprint === fingerprint)
  );
}

export type DeadLetterPage = {
  readonly letters: DeadLetterSummary[];
  /** Give it back to go on; undefined: there are no more. */
  readonly next: LetterPosition | undefined;
};

/** Letters by their last failure, newest first. A page may be short and still have a next one. */
export async function listDeadLetters(
  space: QueueSpace,
  query: { filter: DeadLetterFilter; limit: number; after?: LetterPosition | undefined },
): Promise<DeadLetterPage> {
  const letters: DeadLetterSummary[] = [];
  let examined = 0;
  for await (const chunk of walkDeadLetters(space, query.filter, query.after)) {
    for (const { position, letter } of chunk) {
      examined++;
      if (letter && matchesFilter(letter, query.filter)) letters.push(letter);
      if (letters.length === query.limit || examined === examinedMax) return { letters, next: position };
    }
  }
  return { letters, next: undefined };
}

type Walked = { readonly position: LetterPosition; readonly letter: DeadLetterSummary | undefined };

/** All letters the filter's state and time allow, in chunks, newest first; the rest of the filter is the caller's. */
export async function* walkDeadLetters(
  space: QueueSpace,
  filter: DeadLetterFilter,
  after?: LetterPosition,
): AsyncGenerator<Walked[]> {
  const keys = deadLetterKeys(space);
  const key = filter.state === undefined ? keys.byTime : keys.inState(filter.state);
  const min = filter.since === undefined ? "-inf" : String(Date.parse(filter.since));
  let last = after;
  // Letters that share the last one's millisecond and come before it in the set, to be stepped over.
  let offset = 0;
  for (;;) {
    const max = last === undefined ? "+inf" : String(last.failedMs);
    const range = [max, min, "WITHSCORES", "LIMIT", offset, chunkSize] as const;
    const flat = await space.client.zrevrangebyscore(key, ...range);
    const positions = toPositions(flat);
    const fresh = positions.filter((position) => !last || isAfter(position, last));
    const summaries =
      fresh.length === 0
        ? []
        : await readSummaries(
            space,
            fresh.map(({ id }) => id),
          );
    if (fresh.length > 0) yield fresh.map((position, index) => ({ position, letter: summaries[index] }));
    if (positions.length < chunkSize) return;
    offset = fresh.length > 0 ? 0 : offset + positions.length;
    last = fresh.at(-1) ?? last;
  }
}

function isAfter(position: LetterPosition, last: LetterPosition): boolean {
  return position.failedMs < last.failedMs || (position.failedMs === last.failedMs && position.id < last.id);
}

function toPositions(flat: readonly string[]): LetterPosition[] {
  const positions: LetterPosition[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    positions.push({ id: flat[index] ?? "", failedMs: Number(flat[index + 1]) });
  }
  return positions;
}
