import { checkedSchema } from "./checked-schema.ts";
import type { z } from "zod";
import type { ChatBody, ChatBodyMessage, ChatContent, sharedFields } from "./openai-body.ts";
import { OpenaiRefusal } from "./openai-refusal.ts";

type Shared = z.infer<z.ZodObject<typeof sharedFields>>;

/** A body of OpenAI's chat API → the request of Ollama's. Throws OpenaiRefusal. */
export function toChatRequest(body: ChatBody): object {
  return present({
    messages: body.messages.map((message, index) => toMessage(message, body.messages, index)),
    tools:
      body.tool_choice === "none"
        ? undefined
        : body.tools?.map((tool) => ({ ...tool, function: present(tool.function) })),
    format: toFormat(body.response_format),
    think: toThink(body.reasoning_effort),
    logprobs: body.logprobs,
    top_logprobs: body.top_logprobs,
    options: toOptions(body, body.max_completion_tokens ?? body.max_tokens),
  });
}

/** The options both completion endpoints share; temperature and top_p have OpenAI's presets, as Ollama's `/v1` has. */
export function toOptions(body: Shared, maxTokens: number | null | undefined): object {
  return present({
    num_predict: maxTokens,
    temperature: body.temperature ?? 1,
    top_p: body.top_p ?? 1,
    frequency_penalty: body.frequency_penalty,
    presence_penalty: body.presence_penalty,
    seed: body.seed,
    stop: body.stop,
  });
}

export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  );
}

function toMessage(message: ChatBodyMessage, all: readonly ChatBodyMessage[], index: number): object {
  const { text, images } = toContent(message.content, `messages[${index}].content`);
  const said = { content: text, ...(images.length > 0 && { images }) };
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", ...said };
    case "user":
      return { role: "user", ...said };
    case "assistant":
      return { role: "assistant", ...said, ...toToolCalls(message.tool_calls, index) };
    case "tool":
      return { role: "tool", ...said, ...present({ tool_name: calledTool(all, message.tool_call_id) }) };
  }
}

function toToolCalls(
  calls: Extract<ChatBodyMessage, { role: "assistant" }>["tool_calls"],
  index: number,
): object {
  if (!calls || calls.length === 0) return {};
  return {
    tool_calls: calls.map((call, position) => ({
      id: call.id,
      function: {
        name: call.function.name,
        arguments: parseArguments(call.function.arguments, `messages[${index}].tool_calls[${position}]`),
      },
    })),
  };
}

function parseArguments(text: string, path: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw new OpenaiRefusal(400, `${path}.function.arguments must be JSON.`, { param: path });
  }
}

/** Ollama names the tool a result is of, OpenAI the call. */
function calledTool(all: readonly ChatBodyMessage[], id: string): string | undefined {
  const calls = all.flatMap((message) => (message.role === "assistant" ? (message.tool_calls ?? []) : []));
  return calls.find((call) => call.id === id)?.function.name;
}

function toContent(content: ChatContent, path: string): { text: string; images: string[] } {
  if (typeof content !== "object" || content === null) return { text: content ?? "", images: [] };
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const images = content.flatMap((part) =>
    part.type === "image_url" ? [toImage(part.image_url.url, path)] : [],
  );
  return { text: texts.join("\n"), images };
}

/** A data URL → the base64 Ollama wants. Throws OpenaiRefusal. */
export function toImage(url: string, path: string): string {
  const [, data] = /^data:image\/[\w.+-]+;base64,([A-Za-z0-9+/]+=*)$/.exec(url) ?? [];
  if (data !== undefined) return data;
  throw new OpenaiRefusal(400, `${path}: images must be data URLs with base64; nothing is fetched for you.`, {
    param: path,
  });
}

function toFormat(format: ChatBody["response_format"]): unknown {
  if (format?.type === "json_object") return "json";
  if (format?.type !== "json_schema") return undefined;
  return checkedSchema(format.json_schema.schema, "response_format.json_schema.schema");
}

function toThink(effort: ChatBody["reasoning_effort"]): unknown {
  if (effort === "none") return false;
  return effort === "minimal" ? "low" : (effort ?? undefined);
}
