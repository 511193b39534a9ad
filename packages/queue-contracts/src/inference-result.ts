import { z } from "zod";
import { jsonValueSchema } from "./json-value.ts";

const durationMs = z.number().min(0);
const tokens = z.int().min(0);

/** What a job cost. */
export const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  total_tokens: tokens,
  gpu_ms: durationMs.describe("Milliseconds a slot was held, over all of this job's starts that ended."),
});
export type Usage = z.infer<typeof usageSchema>;

const common = {
  v: z.literal(1),
  model: z.string().describe("The model as Ollama named it."),
  backend: z.string().describe("Name of the Ollama host that answered."),
  usage: usageSchema.describe("What the job cost."),
  total_duration_ms: durationMs.describe("From the call to its end, by Ollama's clock."),
  load_duration_ms: durationMs.describe("Part of it spent loading the model; about 0 when it was loaded."),
  prompt_eval_count: tokens.describe("Tokens of the prompt that were read."),
};
const answer = {
  ...common,
  done_reason: z
    .string()
    .describe("`stop`: the model ended it. `length`: cut by `num_predict` or the context."),
  eval_count: tokens.describe("Tokens of the answer."),
  prompt_eval_duration_ms: durationMs,
  eval_duration_ms: durationMs,
  logprobs: z.array(jsonValueSchema).optional(),
};

export const generateResultSchema = z.object({
  type: z.literal("generate"),
  ...answer,
  response: z.string().describe("The answer."),
  thinking: z.string().optional().describe("What a thinking model thought before it answered."),
});
export const chatResultSchema = z.object({
  type: z.literal("chat"),
  ...answer,
  message: z.object({
    role: z.string(),
    content: z.string(),
    thinking: z.string().optional(),
    tool_calls: z.array(jsonValueSchema).optional(),
  }),
});
export const embedResultSchema = z.object({
  type: z.literal("embed"),
  ...common,
  embeddings: z.array(z.array(z.number())).describe("One vector per input text, in their order."),
});

/** The return value (`job.returnvalue`) of a completed job. */
export const inferenceResultSchema = z.discriminatedUnion("type", [
  generateResultSchema,
  chatResultSchema,
  embedResultSchema,
]);
export type InferenceResult = z.infer<typeof inferenceResultSchema>;
