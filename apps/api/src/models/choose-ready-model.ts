import { countWaitingOn, type ModelAnnouncement, type QueueSpace } from "@forebay/queue-bullmq";
import { canonicalModelName, type InferenceJob } from "@forebay/queue-contracts";
import type { KnownModels } from "../admission/known-models.ts";

/** What a model must be to be given a job while another could take it. */
export type Readiness = {
  /** More jobs than these before it, and the next model of the chain is tried. */ readonly waitingMax: number;
};

/**
 * The job with the first of its models that some host has and serves now, and that has not too many jobs waiting; the
 * first known one when all are in trouble; itself when it names no fallbacks. What it can still fall back to are the
 * models after that one.
 *
 * @param queueOf the queue of a job, were it put now
 */
export async function chooseReadyModel(
  deps: { space: QueueSpace; models: KnownModels; readiness: Readiness },
  job: InferenceJob,
  queueOf: (job: InferenceJob) => Promise<string>,
): Promise<InferenceJob> {
  const { fallbacks = [] } = job;
  if (fallbacks.length === 0) return job;
  const announced = await deps.models.read();
  const choices = [job.model, ...fallbacks].map((model, index) =>
    withModel(job, model, fallbacks.slice(index)),
  );
  for (const choice of choices) {
    if (!isServed(announced, choice.model)) continue;
    if ((await countWaitingOn(deps.space, await queueOf(choice))) < deps.readiness.waitingMax) return choice;
  }
  return choices.find(({ model }) => announced.models.has(canonicalModelName(model))) ?? job;
}

function withModel(job: InferenceJob, model: string, fallbacks: readonly string[]): InferenceJob {
  const { fallbacks: _, ...rest } = job;
  return { ...rest, model, ...(fallbacks.length > 0 && { fallbacks: [...fallbacks] }) };
}

function isServed({ leases }: ModelAnnouncement, model: string): boolean {
  const wanted = canonicalModelName(model);
  const up = leases.flatMap(({ backends }) => backends.filter((backend) => backend.up));
  return up.some(({ models }) => models.some(({ name }) => canonicalModelName(name) === wanted));
}
