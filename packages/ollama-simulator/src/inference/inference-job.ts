import type { Answer } from "../answer/answer.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import type { ModelCard } from "../models/model-card.ts";
import type { GenerationOptions } from "../native/parse-options.ts";

export type InferenceJob = {
  model: ModelCard;
  /** As the caller spelled it; answers repeat it. */
  modelName: string;
  options: GenerationOptions;
  keepAliveMs: number | undefined;
  truncate: boolean;
  promptTokens: number;
  /** One slot after the other; more than one where Ollama calls its runner twice. Made when a slot is held. */
  plan: (numCtx: number) => Answer[];
  faults: StruckFaults;
};

export type Metrics = {
  totalMs: number;
  loadMs: number;
  promptTokens: number;
  promptMs: number;
  tokens: number;
  decodeMs: number;
};
