import { z } from "zod";

const count = z.int().min(0);
const real = z.number();

/**
 * Ollama's `options`. Types are checked here because Ollama answers a wrong type with a 500 and ignores an
 * unknown name without a word. Names marked *reload* make Ollama load the model again when they change:
 * they are part of the affinity key.
 */
export const modelOptionsSchema = z.strictObject({
  /** *reload*. Context window in tokens. Rounded up to a configured bucket. */
  num_ctx: z.int().min(1).max(16_777_216).optional(),
  /** *reload* */ num_batch: z.int().min(1).optional(),
  /** *reload*. Layers on the GPU; -1 lets Ollama decide. */
  num_gpu: z.int().min(-1).optional(),
  /** *reload* */ main_gpu: count.optional(),
  /** *reload* */ use_mmap: z.boolean().optional(),
  /** *reload* */ num_thread: count.optional(),
  /** *reload* */ draft_num_predict: count.optional(),
  num_keep: z.int().min(-1).optional(),
  /** -1: another one each time. */ seed: z.int().optional(),
  /** Most tokens to write; -1: until the model stops. */ num_predict: z.int().min(-2).optional(),
  top_k: count.optional(),
  top_p: real.min(0).max(1).optional(),
  min_p: real.min(0).max(1).optional(),
  tfs_z: real.optional(),
  typical_p: real.optional(),
  repeat_last_n: z.int().min(-1).optional(),
  temperature: real.min(0).optional(),
  repeat_penalty: real.optional(),
  presence_penalty: real.optional(),
  frequency_penalty: real.optional(),
  mirostat: count.max(2).optional(),
  mirostat_tau: real.optional(),
  mirostat_eta: real.optional(),
  penalize_newline: z.boolean().optional(),
  numa: z.boolean().optional(),
  low_vram: z.boolean().optional(),
  f16_kv: z.boolean().optional(),
  logits_all: z.boolean().optional(),
  vocab_only: z.boolean().optional(),
  use_mlock: z.boolean().optional(),
  embedding_only: z.boolean().optional(),
  /** Sequences that end the answer. */ stop: z.union([z.string(), z.array(z.string()).max(64)]).optional(),
});
export type ModelOptions = z.infer<typeof modelOptionsSchema>;

/** The options whose change makes Ollama load the model again (its `needsReload`). */
export const runnerOptionNames = [
  "num_ctx",
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
] as const satisfies readonly (keyof ModelOptions)[];
export type RunnerOptions = Pick<ModelOptions, (typeof runnerOptionNames)[number]>;
