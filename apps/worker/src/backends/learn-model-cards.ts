import type { ModelCard } from "@forebay/queue-bullmq";
import type { Backend } from "./backend.ts";
import { readModelCard } from "./read-model-card.ts";

const timeoutMs = 3_000;
/** So long a look at a host may take; the rest of its models is asked about at the next one. */
const lookMs = 2_000;
/** A host that would not say is not asked about that model again for so long. */
const againMs = 60_000;

/** Cards of the hosts' models by digest, each asked for once. */
export type ModelCards = {
  /** Asks for what is missing, and forgets models no host has any more. */
  learn(backends: readonly Backend[], nowMs: number): Promise<ReadonlyMap<string, ModelCard>>;
  /** What is known already. */ find(digest: string | undefined): ModelCard | undefined;
};

export function createModelCards(): ModelCards {
  const cards = new Map<string, ModelCard>();
  const failedAt = new Map<string, number>();

  const ask = async (backend: Backend, nowMs: number): Promise<void> => {
    const until = performance.now() + lookMs;
    for (const { name, digest } of backend.models) {
      if (performance.now() > until) return;
      if (digest === undefined || cards.has(digest)) continue;
      if (nowMs - (failedAt.get(digest) ?? Number.NEGATIVE_INFINITY) < againMs) continue;
      try {
        cards.set(digest, await readModelCard(backend.client, name, timeoutMs));
      } catch {
        // Nothing that runs jobs depends on it, and whether the host is well is found out elsewhere.
        failedAt.set(digest, nowMs);
        return;
      }
    }
  };

  return {
    find: (digest) => (digest === undefined ? undefined : cards.get(digest)),
    async learn(backends, nowMs) {
      const listed = new Set(backends.flatMap(({ models }) => models.map(({ digest }) => digest)));
      for (const known of [cards, failedAt]) {
        for (const digest of known.keys()) if (!listed.has(digest)) known.delete(digest);
      }
      await Promise.all(backends.filter(({ up }) => up).map((backend) => ask(backend, nowMs)));
      return cards;
    },
  };
}
