import { z } from "zod";

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const imagePart = z.object({ type: z.literal("image_url"), image_url: z.object({ url: z.string() }) });
const content = z.union([z.string(), z.array(z.union([textPart, imagePart]))]).nullish();

const toolCall = z.object({
  id: z.string(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.object({ role: z.enum(["system", "developer"]), content }),
  z.object({ role: z.literal("user"), content }),
  z.object({ role: z.literal("assistant"), content, tool_calls: z.array(toolCall).nullish() }),
  z.object({ role: z.literal("tool"), content, tool_call_id: z.string() }),
]);
export type ChatBodyMessage = z.infer<typeof message>;
export type ChatContent = z.infer<typeof content>;

const responseFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
  }),
]);

const tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/** What both completion endpoints know. Fields that mean nothing to Ollama are dropped, as Ollama drops them. */
export const sharedFields = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  n: z.literal(1, { error: "must be 1: one answer is made per call" }).nullish(),
  user: z.string().min(1).max(256).nullish(),
  service_tier: z.enum(["auto", "default", "flex", "priority"]).nullish(),
};

export const chatBodySchema = z.object({
  ...sharedFields,
  messages: z.array(message).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  response_format: responseFormat.nullish(),
  tools: z.array(tool).nullish(),
  // Ollama cannot make a model call a tool, so asking for that must not be taken silently.
  tool_choice: z
    .enum(["none", "auto"], { error: 'must be "none" or "auto": no model can be forced to call a tool' })
    .nullish(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high"]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});
export type ChatBody = z.infer<typeof chatBodySchema>;

export const completionBodySchema = z.object({
  ...sharedFields,
  prompt: z.union([
    z.string().min(1),
    z
      .array(z.string().min(1))
      .length(1)
      .transform(([only]) => only ?? ""),
  ]),
  suffix: z.string().nullish(),
  logprobs: z.null({ error: "are given by /v1/chat/completions alone" }).optional(),
});

export const embeddingsBodySchema = z.object({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(10_000)], {
    error: "must be a text or a list of texts, none of them empty; tokens are not understood",
  }),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().min(1).max(256).nullish(),
  service_tier: sharedFields.service_tier,
});
