import { z } from "zod";
import { parseJson } from "../redis/parse-json.ts";
import type { QueueSpace } from "./queue-space.ts";

/** What a host says about one of its models, without what only its host needs: license, tensors, Modelfile. */
export const modelCardSchema = z.object({
  /** What it can do, in Ollama's words: completion, tools, vision, embedding, … */
  capabilities: z.array(z.string()),
  /** Names and numbers from the model's header; its long lists are left out. */
  model_info: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Options that differ from Ollama's own, one a line. */ parameters: z.string(),
  /** The prompt's template; empty when it is too long to be kept. */ template: z.string(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

/** As long as models stay known without a worker. Seconds. */
const keptS = 7 * 24 * 3_600;

const keyOf = (space: QueueSpace, digest: string): string => space.key("model-card", digest);

/**
 * Publishes cards by the digests of their models; call it again now and then. A digest stands for one model for
 * ever, so a card that is there is only kept for longer.
 */
export async function publishModelCards(
  space: QueueSpace,
  cards: ReadonlyMap<string, ModelCard>,
): Promise<void> {
  if (cards.size === 0) return;
  const digests = [...cards.keys()];
  const asked = space.client.pipeline();
  for (const digest of digests) asked.expire(keyOf(space, digest), keptS);
  const kept = (await asked.exec()) ?? [];
  const missing = digests.filter((_, index) => kept[index]?.[1] !== 1);
  if (missing.length === 0) return;
  const written = space.client.pipeline();
  for (const digest of missing) {
    written.set(keyOf(space, digest), JSON.stringify(cards.get(digest)), "EX", keptS);
  }
  await written.exec();
}

export async function readModelCard(space: QueueSpace, digest: string): Promise<ModelCard | undefined> {
  const text = await space.client.get(keyOf(space, digest));
  return modelCardSchema.safeParse(parseJson(text ?? undefined)).data;
}
