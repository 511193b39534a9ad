import { z } from "zod";
import { textSchema } from "./text.ts";

const count = z.int().min(0);
const real = z.number();
const unused = "Known to older versions of Ollama; newer ones ignore it.";

/**
 * Ollama's `options`. Types are checked here because Ollama answers a wrong type with a 500 and ignores an
 * unknown name without a word. Names marked *reload* make Ollama load the model again when they change:
 * they are part of the affinity key.
 */
export const modelOptionsSchema = z
  .strictObject({
    num_ctx: z
      .int()
      .min(1)
      .max(16_777_216)
      .optional()
      .describe("*reload* Context window in tokens; the API rounds it up to a configured bucket."),
    num_batch: z.int().min(1).optional().describe("*reload* Prompt tokens read at once."),
    num_gpu: z.int().min(-1).optional().describe("*reload* Layers on the GPU; -1 lets Ollama decide."),
    main_gpu: count.optional().describe("*reload* Index of the GPU for small tensors."),
    use_mmap: z.boolean().optional().describe("*reload* Map the weights instead of reading them."),
    num_thread: count.optional().describe("*reload* CPU threads; 0 lets Ollama decide."),
    draft_num_predict: count.optional().describe("*reload* Tokens guessed ahead by a draft model."),
    num_keep: z.int().min(-1).optional().describe("Prompt tokens kept when the context overflows."),
    seed: z.int().optional().describe("Same seed, same answer; -1: another one each time."),
    num_predict: z.int().min(-2).optional().describe("Most tokens to write; -1: until the model stops."),
    temperature: real.min(0).optional().describe("0: always the likeliest token. Default 0.8."),
    top_k: count.optional().describe("Choose among the k likeliest tokens. Default 40."),
    top_p: real
      .min(0)
      .max(1)
      .optional()
      .describe("Choose among the likeliest that sum up to p. Default 0.9."),
    min_p: real
      .min(0)
      .max(1)
      .optional()
      .describe("Drop tokens less likely than this share of the likeliest."),
    typical_p: real.optional().describe("Locally typical sampling; 1: off."),
    tfs_z: real.optional().describe(unused),
    repeat_last_n: z.int().min(-1).optional().describe("How far back to look for repetition; -1: num_ctx."),
    repeat_penalty: real.optional().describe("Above 1: repeat less."),
    presence_penalty: real.optional().describe("Above 0: new topics."),
    frequency_penalty: real.optional().describe("Above 0: fewer frequent words."),
    mirostat: count.max(2).optional().describe(unused),
    mirostat_tau: real.optional().describe(unused),
    mirostat_eta: real.optional().describe(unused),
    penalize_newline: z.boolean().optional().describe(unused),
    numa: z.boolean().optional().describe(unused),
    low_vram: z.boolean().optional().describe(unused),
    f16_kv: z.boolean().optional().describe(unused),
    logits_all: z.boolean().optional().describe(unused),
    vocab_only: z.boolean().optional().describe(unused),
    use_mlock: z.boolean().optional().describe(unused),
    embedding_only: z.boolean().optional().describe(unused),
    stop: z
      .union([textSchema, z.array(textSchema).max(64)])
      .optional()
      .describe("Sequences that end the answer."),
  })
  .describe(
    "Ollama's `options`. *reload*: a change makes Ollama load the model again, so it is part of the queue.",
  );
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
