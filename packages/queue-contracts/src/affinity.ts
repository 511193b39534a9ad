import { type ModelOptions, type RunnerOptions, runnerOptionNames } from "./model-options.ts";
import { hashToBase32 } from "./base32.ts";

/**
 * What decides whether a loaded model can serve a job without being loaded again: the model and the
 * runner-level options. Jobs with the same affinity share one queue.
 */
export type Affinity = { readonly model: string; readonly runner: RunnerOptions };

/** Ollama's full name of a model: without a tag it means `:latest`. Case is kept: Ollama keeps it too. */
export function canonicalModelName(model: string): string {
  const lastSegment = model.slice(model.lastIndexOf("/") + 1);
  return lastSegment.includes(":") ? model : `${model}:latest`;
}

/** The affinity of a job, from its model name (with or without tag) and its (already bucketed) options. */
export function affinityOf(job: { model: string; options?: ModelOptions | undefined }): Affinity {
  const runner: Record<string, unknown> = {};
  for (const name of runnerOptionNames) {
    const value = job.options?.[name];
    if (value !== undefined) runner[name] = value;
  }
  return { model: canonicalModelName(job.model), runner: runner as RunnerOptions };
}

/** One line that is equal exactly when two affinities are: `llama3.2:3b num_ctx=8192`. */
export function affinityKey(affinity: Affinity): string {
  const options = runnerOptionNames
    .filter((name) => affinity.runner[name] !== undefined)
    .map((name) => ` ${name}=${affinity.runner[name]}`);
  return affinity.model + options.join("");
}

/** Eight base32 characters that stand for one queue inside a job id. */
export function queueTag(affinity: Affinity): string {
  const key = affinityKey(affinity);
  const known = tags.get(key);
  if (known !== undefined) return known;
  const tag = hashToBase32(key);
  if (tags.size === tagsMax) tags.clear();
  tags.set(key, tag);
  return tag;
}

// A producer asks for the tags of a few queues with every job, several times.
const tags = new Map<string, string>();
const tagsMax = 1_000;

/**
 * The BullMQ queue of an affinity: `{infer.<model as a slug>.<tag>}`. The braces are a Redis Cluster hash
 * tag: all keys of one queue live in one slot, and the queues spread over the cluster.
 */
export function inferenceQueueName(affinity: Affinity): string {
  const slug = affinity.model.replace(/[^\w.-]+/g, "_").slice(0, 48);
  return `{infer.${slug}.${queueTag(affinity)}}`;
}

/** The smallest bucket that holds `numCtx`; above the largest bucket the value itself. */
export function contextBucket(numCtx: number, buckets: readonly number[]): number {
  const sorted = buckets.toSorted((a, b) => a - b);
  return sorted.find((bucket) => bucket >= numCtx) ?? numCtx;
}
