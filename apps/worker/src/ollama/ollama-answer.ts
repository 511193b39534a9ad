import { z } from "zod";

const nanoseconds = z.number().default(0);

/** What every last line carries. Ollama leaves out counts that are zero. */
const finalFields = {
  done_reason: z.string().default("stop"),
  total_duration: nanoseconds,
  load_duration: nanoseconds,
  prompt_eval_count: z.int().default(0),
  prompt_eval_duration: nanoseconds,
  eval_count: z.int().default(0),
  eval_duration: nanoseconds,
};

const messageSchema = z.object({
  role: z.string().default("assistant"),
  content: z.string().default(""),
  thinking: z.string().optional(),
  tool_calls: z.array(z.json()).optional(),
});

/** One line of `/api/generate` or `/api/chat`; the last has `done: true` and the counts. */
export const answerLineSchema = z.object({
  model: z.string().optional(),
  response: z.string().optional(),
  thinking: z.string().optional(),
  message: messageSchema.optional(),
  logprobs: z.array(z.json()).optional(),
  done: z.boolean().default(false),
  error: z.unknown().optional(),
  ...finalFields,
});
export type AnswerLine = z.infer<typeof answerLineSchema>;

export const embedAnswerSchema = z.object({
  model: z.string().optional(),
  embeddings: z.array(z.array(z.number())),
  total_duration: nanoseconds,
  load_duration: nanoseconds,
  prompt_eval_count: z.int().default(0),
});
export type EmbedAnswer = z.infer<typeof embedAnswerSchema>;
