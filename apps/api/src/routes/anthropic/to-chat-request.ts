import { OpenaiRefusal, present } from "@forebay/openai-format";
import type { BodyMessage, MessageBody } from "./message-body.ts";

type Blocks = Exclude<BodyMessage["content"], string>[number];

/** A body of Anthropic's messages API → the request of a chat of Ollama's. Throws OpenaiRefusal. */
export function toChatRequest(body: MessageBody): object {
  const system = textOf(body.system);
  const { tools, tool_choice: choice, output_config: output } = body;
  return present({
    messages: [
      ...(system === "" ? [] : [{ role: "system", content: system }]),
      ...body.messages.flatMap((message, index) => toMessages(message, body.messages, index)),
    ],
    tools:
      choice?.type === "none" || !tools?.length
        ? undefined
        : tools.map(({ name, description, input_schema: parameters }) => ({
            type: "function",
            function: present({ name, description, parameters }),
          })),
    format: output?.format?.schema,
    think: toThink(body),
    options: present({
      num_predict: body.max_tokens,
      temperature: body.temperature ?? 1,
      top_p: body.top_p,
      top_k: body.top_k,
      stop: body.stop_sequences,
    }),
  });
}

/** Results of tools are messages of their own, before what the user says with them. */
function toMessages(message: BodyMessage, all: readonly BodyMessage[], index: number): object[] {
  if (typeof message.content === "string") return [{ role: message.role, content: message.content }];
  const blocks: readonly Blocks[] = message.content;
  const content = textOf(blocks.filter((block) => block.type === "text"));
  if (message.role === "assistant") {
    const thinking = blocks
      .flatMap((block) => (block.type === "thinking" ? [block.thinking] : []))
      .join("\n");
    const calls = blocks.flatMap((block) =>
      block.type === "tool_use"
        ? [{ id: block.id, function: { name: block.name, arguments: block.input } }]
        : [],
    );
    const made = calls.length > 0 ? { tool_calls: calls } : {};
    return [{ role: "assistant", content, ...(thinking !== "" && { thinking }), ...made }];
  }
  const results = blocks.flatMap((block, position) => {
    if (block.type !== "tool_result") return [];
    const { tool_use_id: id, is_error: failed } = block;
    const name = usedTool(all.slice(0, index), id);
    if (name === undefined) {
      const param = `messages[${index}].content[${position}].tool_use_id`;
      throw new OpenaiRefusal(400, `${param}: no tool_use with this id comes before.`, { param });
    }
    // Ollama has no field for it, and the model ought to know.
    const said = `${failed ? "Error: " : ""}${textOf(block.content)}`;
    return [{ role: "tool", content: said, tool_name: name, tool_call_id: id }];
  });
  const images = blocks.flatMap((block) => (block.type === "image" ? [block.source.data] : []));
  if (results.length > 0 && content === "" && images.length === 0) return results;
  return [...results, { role: "user", content, ...(images.length > 0 && { images }) }];
}

function textOf(content: string | readonly { readonly type: string }[] | null | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).flatMap((block) => ("text" in block ? [String(block.text)] : [])).join("\n");
}

function usedTool(messages: readonly BodyMessage[], id: string): string | undefined {
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const block of content) if (block.type === "tool_use" && block.id === id) return block.name;
  }
  return undefined;
}

/** Off unless asked for, as with Anthropic; how many tokens it takes cannot be limited. */
function toThink({ thinking, output_config: output }: MessageBody): boolean | string {
  if (!thinking || thinking.type === "disabled") return false;
  const effort = output?.effort ?? undefined;
  return effort === "xhigh" ? "max" : (effort ?? true);
}
