import { z } from "zod";
import { modelOptionsSchema } from "./model-options.ts";
import { filledTextSchema, textSchema } from "./text.ts";

const imagesSchema = z.array(z.base64({ error: "must be base64 without a data: prefix" })).max(64);
const jsonObjectSchema = z.record(z.string(), z.json());

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
  keep_alive: keepAliveSchema.optional(),
};
const answerFields = {
  format: formatSchema.optional(),
  think: thinkSchema.optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
};

/** Body of `POST /api/generate` without `model` and `stream`. */
export const generateRequestSchema = z.strictObject({
  prompt: filledTextSchema,
  system: textSchema.optional(),
  suffix: textSchema.optional(),
  template: textSchema.optional(),
  raw: z.boolean().optional(),
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
  tool_name: z.string().optional(),
  tool_call_id: z.string().optional(),
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
  messages: z.array(chatMessageSchema).min(1, { error: "must hold at least one message" }),
  tools: z.array(toolSchema).max(128).optional(),
  ...answerFields,
  ...sharedFields,
});

/** Body of `POST /api/embed` without `model`. */
export const embedRequestSchema = z.strictObject({
  input: z.union([filledTextSchema, z.array(filledTextSchema).min(1).max(10_000)], {
    error: "must be a text or a list of texts, none of them empty",
  }),
  dimensions: z.int().min(1).optional(),
  truncate: z.boolean().optional(),
  ...sharedFields,
});
