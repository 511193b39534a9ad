import { knownTypes } from "@forebay/openai-format";
import { z } from "zod";

const text = z.object({ type: z.literal("text"), text: z.string() });
const image = z.object({
  type: z.literal("image"),
  source: z.discriminatedUnion(
    "type",
    [z.object({ type: z.literal("base64"), media_type: z.string(), data: z.base64() })],
    { error: knownTypes("base64: nothing is fetched for you") },
  ),
});
const thinking = z.object({ type: z.literal("thinking"), thinking: z.string() });
const toolUse = z.object({
  type: z.literal("tool_use"),
  id: z.string().min(1),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
});
const texts = z.union(
  [z.string(), z.array(z.discriminatedUnion("type", [text], { error: knownTypes("text") }))],
  {
    error: "must be a text or a list of text blocks",
  },
);
const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string().min(1),
  content: texts.optional(),
  is_error: z.boolean().nullish(),
});
const content = <T extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  blocks: T,
  known: string,
) =>
  z.union([z.string(), z.array(z.discriminatedUnion("type", blocks, { error: knownTypes(known) }))], {
    error: "must be a text or a list of blocks",
  });

const message = z.discriminatedUnion("role", [
  z.object({
    role: z.literal("user"),
    content: content([text, image, toolResult], "text, image or tool_result"),
  }),
  z.object({
    role: z.literal("assistant"),
    content: content([text, thinking, toolUse], "text, thinking or tool_use"),
  }),
]);
export type BodyMessage = z.infer<typeof message>;

const tool = z.object({
  type: z
    .literal("custom", { error: "is not offered here: what a tool does is done by the caller" })
    .nullish(),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()),
});

const effort = z.enum(["low", "medium", "high", "xhigh", "max"]);
const notOffered = (why: string) => z.null({ error: `is not offered here: ${why}` }).optional();

/** Body of `POST /v1/messages`. What would change the answer and cannot be honoured is refused by its name. */
export const messageBodySchema = z.object({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  messages: z.array(message).min(1),
  system: texts.nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  stop_sequences: z.array(z.string()).max(16).nullish(),
  tools: z.array(tool).max(128).nullish(),
  tool_choice: z
    .discriminatedUnion(
      "type",
      [
        z.object({
          type: z.literal("auto"),
          disable_parallel_tool_use: z
            .literal(false, { error: "must be false: a model calls as many tools at once as it likes" })
            .nullish(),
        }),
        z.object({ type: z.literal("none") }),
      ],
      { error: knownTypes("auto or none: no model can be forced to call a tool") },
    )
    .nullish(),
  thinking: z
    .discriminatedUnion(
      "type",
      [
        z.object({ type: z.literal("enabled"), budget_tokens: z.int().min(1) }),
        z.object({ type: z.literal("adaptive") }),
        z.object({ type: z.literal("disabled") }),
      ],
      { error: knownTypes("enabled, adaptive or disabled") },
    )
    .nullish(),
  output_config: z
    .object({
      effort: effort.nullish(),
      format: z
        .object({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .nullish(),
  metadata: z.object({ user_id: z.string().min(1).max(256).nullish() }).nullish(),
  service_tier: z.enum(["auto", "standard_only"]).nullish(),
  container: notOffered("no code is run"),
  mcp_servers: notOffered("call tools yourself"),
  context_management: notOffered("send what the model is to know"),
});
export type MessageBody = z.infer<typeof messageBodySchema>;
