import type { ModelCosts } from "./model-costs.ts";

/** One queue as it stands. */
export type QueueBacklog = {
  readonly name: string;
  readonly model: string;
  readonly waiting: number;
  readonly running: number;
  /** Estimated milliseconds of a slot all waiting jobs take. */ readonly workMs: number;
  /** Tags of the first and the last that wait. */
  readonly headTag: number;
  readonly tailTag: number;
};

/** One Ollama that is up. */
export type BackendState = {
  readonly name: string;
  readonly models: readonly { readonly name: string; readonly slots: number; readonly loaded: boolean }[];
};

/** All that waits and all that works on it, at one moment. */
export type Workload = {
  readonly queues: readonly QueueBacklog[];
  readonly backends: readonly BackendState[];
  readonly costs: (model: string) => ModelCosts;
};
