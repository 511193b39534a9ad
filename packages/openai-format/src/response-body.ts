import { metadataSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { knownTypes } from "./known-types.ts";
import { sharedFields } from "./openai-body.ts";
import { OpenaiRefusal } from "./openai-refusal.ts";
import { parseBody } from "./parse-body.ts";

const inputText = z.object({ type: z.literal("input_text"), text: z.string() });
const outputText = z.object({ type: z.literal("output_text"), text: z.string() });
const refusal = z.object({ type: z.literal("refusal"), refusal: z.string() });
const inputImage = z.object({
  type: z.literal("input_image"),
  image_url: z.string({ error: "must be a data URL: files are not kept for pictures" }),
});
const part = z.discriminatedUnion("type", [inputText, outputText, refusal, inputImage], {
  error: knownTypes("input_text, input_image, output_text or refusal"),
});

const message = z.object({
  type: z.literal("message").optional(),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.union([z.string(), z.array(part)], { error: "must be a text or a list of parts" }),
});
const functionCall = z.object({
  type: z.literal("function_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
});
const functionCallOutput = z.object({
  type: z.literal("function_call_output"),
  call_id: z.string().min(1),
  output: z.union(
    [z.string(), z.array(z.discriminatedUnion("type", [inputText], { error: knownTypes("input_text") }))],
    { error: "must be a text or a list of input_text" },
  ),
});
const reasoningItem = z.object({
  type: z.literal("reasoning"),
  summary: z.array(z.object({ text: z.string() })).nullish(),
  content: z.array(z.object({ text: z.string() })).nullish(),
});
/** An item of a response that was stored, instead of the item. */
const itemReference = z.object({ type: z.literal("item_reference"), id: z.string() });

const ownItems = [message, functionCall, functionCallOutput, reasoningItem] as const;
const item = z.discriminatedUnion("type", [...ownItems, itemReference], {
  error: knownTypes("message, function_call, function_call_output, reasoning or item_reference"),
});
const ownItem = z.discriminatedUnion("type", ownItems);
export type ResponseInputItem = z.infer<typeof item>;

/** An item as a response tells it → as it may be sent. */
export const parseResponseItem = (value: object): z.infer<typeof ownItem> => ownItem.parse(value);

const tool = z.discriminatedUnion(
  "type",
  [
    z.object({
      type: z.literal("function"),
      name: z.string().min(1),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    }),
  ],
  { error: knownTypes("function: what a tool does is done by the caller") },
);

const format = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string().min(1).max(64),
    description: z.string().max(1_024).nullish(),
    strict: z.boolean().nullish(),
    schema: z.record(z.string(), z.unknown()),
  }),
]);

const notOffered = (why: string) => z.null({ error: `is not offered here: ${why}` }).optional();

/** Body of `POST /v1/responses`. What would change the answer and cannot be honoured is refused by its name. */
export const responseBodySchema = z.object({
  model: sharedFields.model,
  input: z.union([z.string(), z.array(item).min(1)], { error: "must be a text or a list of items" }),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: sharedFields.temperature,
  top_p: sharedFields.top_p,
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z.array(z.string()).nullish(),
  text: z
    .object({
      format: format.nullish(),
      verbosity: z
        .literal("medium", { error: 'must be "medium": ask for another one in the instructions' })
        .nullish(),
    })
    .nullish(),
  reasoning: z
    .object({ effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish() })
    .nullish(),
  tools: z.array(tool).max(128).nullish(),
  tool_choice: z
    .enum(["none", "auto"], { error: 'must be "none" or "auto": no model can be forced to call a tool' })
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  truncation: z
    .literal("auto", { error: 'must be "auto": Ollama shortens what does not fit its context' })
    .nullish(),
  metadata: metadataSchema.nullish(),
  service_tier: sharedFields.service_tier,
  user: sharedFields.user,
  conversation: notOffered("use previous_response_id"),
  prompt: notOffered("send instructions and input"),
  context_management: notOffered("send what the model is to know"),
});
export type ResponseBody = z.infer<typeof responseBodySchema>;

/** Throws OpenaiRefusal with 400 and the name of the first field that is wrong. */
export function parseResponseBody(value: unknown): ResponseBody {
  const body = parseBody(responseBodySchema, value);
  if (body.background && body.store === false) throw refuse("store: must be true with background.", "store");
  if (body.parallel_tool_calls === false && (body.tools ?? []).length > 0) {
    const why = "must be true: a model calls as many tools at once as it likes";
    throw refuse(`parallel_tool_calls: ${why}.`, "parallel_tool_calls");
  }
  return body;
}

const refuse = (why: string, param: string): OpenaiRefusal => new OpenaiRefusal(400, why, { param });
