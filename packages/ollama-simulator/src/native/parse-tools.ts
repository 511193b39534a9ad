import type { WantedCall } from "../answer/plan-answer.ts";
import { GoStruct, isRecord } from "../http/go-struct.ts";
import type { ChatMessage } from "./parse-messages.ts";

export type Tool = { name: string; parameters: unknown };

export function parseTools(list: unknown[] | undefined): Tool[] {
  return (list ?? []).map((item) => {
    const definition = new GoStruct("Tool", item).record("function") ?? {};
    const fields = new GoStruct("ToolFunction", definition);
    return {
      name: fields.string("name"),
      parameters: isRecord(definition.parameters) ? definition.parameters : {},
    };
  });
}

const marker = /\[call:([^\]]+)\]/g;

/** The tools named as `[call:name]` by the last user message, unless their results are already there. */
export function chooseCalls(messages: readonly ChatMessage[], tools: readonly Tool[]): WantedCall[] {
  const last = messages.findLastIndex((message) => message.role === "user");
  const question = messages[last];
  if (question === undefined || messages.slice(last).some((message) => message.role === "tool")) return [];
  const names = [...question.content.matchAll(marker)].map((match) => match[1]?.trim());
  return names.flatMap((name) => tools.filter((tool) => tool.name === name));
}
