import { z } from "zod";

const durationMs = z.number().min(0);
const tokens = z.int().min(0);

/** What the job cost. `gpu_ms`: milliseconds a slot was held, over all of this job's starts that ended. */
export const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  total_tokens: tokens,
  gpu_ms: durationMs,
});
export type Usage = z.infer<typeof usageSchema>;

const common = {
  v: z.literal(1),
  /** The model as Ollama named it. */ model: z.string(),
  /** Which host answered. */ backend: z.string(),
  usage: usageSchema,
  /** From Ollama's own clock, in milliseconds: from the call to its end, the load, the prompt, the answer. */
  total_duration_ms: durationMs,
  load_duration_ms: durationMs,
  prompt_eval_count: tokens,
};
const answer = {
  ...common,
  /** `stop`: the model ended it. `length`: cut by `num_predict` or the context. */
  done_reason: z.string(),
  eval_count: tokens,
  prompt_eval_duration_ms: durationMs,
  eval_duration_ms: durationMs,
  logprobs: z.array(z.json()).optional(),
};

export const generateResultSchema = z.object({
  type: z.literal("generate"),
  ...answer,
  response: z.string(),
  thinking: z.string().optional(),
});
export const chatResultSchema = z.object({
  type: z.literal("chat"),
  ...answer,
  message: z.object({
    role: z.string(),
    content: z.string(),
    thinking: z.string().optional(),
    tool_calls: z.array(z.json()).optional(),
  }),
});
export const embedResultSchema = z.object({
  type: z.literal("embed"),
  ...common,
  embeddings: z.array(z.array(z.number())),
});

/** The return value (`job.returnvalue`) of a completed job. */
export const inferenceResultSchema = z.discriminatedUnion("type", [
  generateResultSchema,
  chatResultSchema,
  embedResultSchema,
]);
export type InferenceResult = z.infer<typeof inferenceResultSchema>;
