import { GoStruct, isRecord } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";
import { sharedOptions } from "./shared-options.ts";

/** The body of `/v1/chat/completions` as one of `/api/chat`: Ollama translates it in the same way. */
export function toChatBody(body: unknown): Record<string, unknown> {
  const fields = new GoStruct("ChatCompletionRequest", body);
  const messages = fields.list("messages", "[]openai.Message") ?? [];
  if (messages.length === 0) throw new OllamaError(400, "[] is too short - 'messages'");
  return {
    model: fields.string("model"),
    messages: messages.flatMap(toMessages),
    stream: fields.boolean("stream") ?? false,
    tools: fields.raw("tools"),
    options: sharedOptions(fields),
    format: toFormat(fields.record("response_format")),
    think: toThink(fields),
    logprobs: fields.boolean("logprobs"),
    top_logprobs: fields.integer("top_logprobs"),
  };
}

/** A message of several parts becomes several messages. */
function toMessages(item: unknown): Record<string, unknown>[] {
  const message = new GoStruct("Message", item);
  const role = message.string("role");
  const calls = message.list("tool_calls", "[]openai.ToolCall");
  const content = message.raw("content");
  if (typeof content === "string") return [{ role, content, tool_calls: calls }];
  if (Array.isArray(content)) return content.map((part) => ({ role, ...toPart(part) }));
  if (calls !== undefined) return [{ role, content: "", tool_calls: calls }];
  throw new OllamaError(
    400,
    `invalid message content type: ${content === undefined ? "<nil>" : typeof content}`,
  );
}

function toPart(part: unknown): Record<string, unknown> {
  if (isRecord(part) && part.type === "text" && typeof part.text === "string") return { content: part.text };
  if (!isRecord(part) || part.type !== "image_url") throw new OllamaError(400, "invalid message format");
  const url = isRecord(part.image_url) ? part.image_url.url : part.image_url;
  if (typeof url !== "string") throw new OllamaError(400, "invalid message format");
  if (/^https?:/.test(url))
    throw new OllamaError(
      400,
      "image URLs are not currently supported, please use base64 encoded data instead",
    );
  const data = /^data:(?:image\/(?:jpe?g|png|webp))?;base64,(.*)$/s.exec(url)?.[1];
  if (data === undefined) throw new OllamaError(400, "invalid image input");
  return { content: "", images: [data] };
}

function toFormat(format: Record<string, unknown> | undefined): unknown {
  if (format?.type === "json_object") return "json";
  if (format?.type === "json_schema" && isRecord(format.json_schema)) return format.json_schema.schema;
  return undefined;
}

const thinkByEffort: Record<string, unknown> = {
  none: false,
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  max: "max",
  xhigh: "max",
  ultra: "max",
};

function toThink(fields: GoStruct): unknown {
  const effort = fields.record("reasoning")?.effort ?? fields.raw("reasoning_effort");
  if (effort === undefined || effort === "") return undefined;
  const think = thinkByEffort[String(effort)];
  if (think !== undefined) return think;
  const names = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"';
  throw new OllamaError(400, `invalid reasoning value: ${JSON.stringify(effort)} (must be ${names})`);
}
