import type { InferenceJob } from "@forebay/queue-contracts";
import { countChars } from "./count-chars.ts";
import { type ModelCosts, modelCosts } from "./model-costs.ts";

/** What a job is expected to cost before it has run. */
export type JobEstimate = {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Milliseconds it will hold a slot. */ readonly costMs: number;
};

/** What vision models make of a picture, about; Ollama does not say before it has looked. */
const tokensPerImage = 600;

const unknownModel = modelCosts();

/** Prompt at the model's reading rate, answer at its writing rate; the answer as long as they were of late, or as allowed. */
export function estimateJob(job: InferenceJob, costs: ModelCosts = unknownModel): JobEstimate {
  const images = countImages(job);
  const promptTokens = Math.ceil(countChars(job.request) / costs.charsPerToken) + images * tokensPerImage;
  const outputTokens = job.type === "embed" ? 0 : expectedOutput(job.request.options?.num_predict, costs);
  const costMs = promptTokens * costs.msPerPromptToken + outputTokens * costs.msPerOutputToken;
  return { promptTokens, outputTokens, costMs: Math.max(1, costMs) };
}

function expectedOutput(numPredict: number | undefined, { outputTokens }: ModelCosts): number {
  // 0 and less mean "no bound" or "until the context is full".
  const bounded = numPredict !== undefined && numPredict > 0;
  return Math.max(1, Math.round(bounded ? Math.min(numPredict, outputTokens) : outputTokens));
}

function countImages(job: InferenceJob): number {
  if (job.type === "embed") return 0;
  if (job.type === "generate") return job.request.images?.length ?? 0;
  return job.request.messages.reduce((sum, { images }) => sum + (images?.length ?? 0), 0);
}
