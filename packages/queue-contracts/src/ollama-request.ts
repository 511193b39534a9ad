import { z } from "zod";
import { jsonValueSchema } from "./json-value.ts";
import { modelOptionsSchema } from "./model-options.ts";
import { filledTextSchema, textSchema } from "./text.ts";

const imagesSchema = z
  .array(z.base64({ error: "must be base64 without a data: prefix" }))
  .max(64)
  .describe("Pictures for a model that can see, base64 without a `data:` prefix.");
const jsonObjectSchema = z.record(z.string(), jsonValueSchema);

/** `"json"`, or a JSON Schema that the answer must satisfy. */
export const formatSchema = z.union([z.literal("json"), jsonObjectSchema], {
  error: 'must be "json" or a JSON Schema object',
});

/** Seconds, or a Go duration (`"5m"`, `"1h30m"`). 0 unloads when idle, negative keeps for ever. */
export const keepAliveSchema = z.union([
  z.number(),
  z.string().regex(/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/, {
    error: 'must be a number of seconds or a duration such as "5m"',
  }),
]);

const thinkSchema = z.union([z.boolean(), z.enum(["low", "medium", "high", "max"])]);

const sharedFields = {
  options: modelOptionsSchema.optional(),
  keep_alive: keepAliveSchema
    .optional()
    .describe(
      'How long the model stays loaded afterwards: seconds, or a duration such as "5m"; 0 unloads, negative is for ever.',
    ),
};
const answerFields = {
  format: formatSchema
    .optional()
    .describe(
      '`"json"`, or a JSON Schema the answer must satisfy; otherwise the job fails with `schema_mismatch`.',
    ),
  think: thinkSchema
    .optional()
    .describe("Whether, or how hard, a thinking model thinks. Default: the model's own, which is mostly on."),
  logprobs: z.boolean().optional().describe("Return the log probability of each token."),
  top_logprobs: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe("How many alternatives per token, with `logprobs`."),
};

/** Body of `POST /api/generate` without `model` and `stream`. */
export const generateRequestSchema = z.strictObject({
  prompt: filledTextSchema.describe('Never empty: to Ollama an empty prompt means only "load the model".'),
  system: textSchema.optional().describe("Replaces the model's own system prompt."),
  suffix: textSchema.optional().describe("Text after the gap, for models that fill in the middle."),
  template: textSchema.optional().describe("Replaces the model's own prompt template."),
  raw: z.boolean().optional().describe("The prompt is complete: apply no template."),
  images: imagesSchema.optional(),
  ...answerFields,
  ...sharedFields,
});

const toolCallSchema = z.looseObject({
  id: z.string().optional(),
  function: z.looseObject({ name: z.string().min(1), arguments: jsonObjectSchema }),
});
export type ToolCall = z.infer<typeof toolCallSchema>;

export const chatMessageSchema = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: textSchema.default(""),
  thinking: textSchema.optional(),
  images: imagesSchema.optional(),
  tool_calls: z.array(toolCallSchema).optional(),
  tool_name: textSchema.optional().describe("With role `tool`: which tool answered."),
  tool_call_id: textSchema.optional().describe("With role `tool`: which call is answered."),
});

const toolSchema = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string().min(1),
    description: z.string().optional(),
    parameters: jsonObjectSchema.optional(),
  }),
});

/** Body of `POST /api/chat` without `model` and `stream`. */
export const chatRequestSchema = z.strictObject({
  messages: z
    .array(chatMessageSchema)
    .min(1, { error: "must hold at least one message" })
    .describe("The conversation so far, oldest first."),
  tools: z.array(toolSchema).max(128).optional().describe("Functions the model may ask to be called."),
  ...answerFields,
  ...sharedFields,
});

/** Body of `POST /api/embed` without `model`. */
export const embedRequestSchema = z.strictObject({
  input: z
    .union([filledTextSchema, z.array(filledTextSchema).min(1).max(10_000)], {
      error: "must be a text or a list of texts, none of them empty",
    })
    .describe("One text or up to 10,000; the result has one vector for each, in this order."),
  dimensions: z.int().min(1).optional().describe("Shorten the vectors to this length, where the model can."),
  truncate: z
    .boolean()
    .optional()
    .describe("false: a text longer than the context fails the job instead of being cut. Default true."),
  ...sharedFields,
});
