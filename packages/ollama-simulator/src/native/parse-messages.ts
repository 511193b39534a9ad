import { GoStruct } from "../http/go-struct.ts";
import { countImages } from "./parse-images.ts";

export type ChatMessage = { role: string; content: string; images: number; toolCalls: number };

export function parseMessages(list: unknown[]): ChatMessage[] {
  return list.map((item) => {
    // Ollama decodes messages through a type of that name, and it shows in the error.
    const message = new GoStruct("Alias", item);
    return {
      role: message.string("role").toLowerCase(),
      content: message.string("content"),
      images: countImages(message.list("images", "[]api.ImageData")),
      toolCalls: message.list("tool_calls", "[]api.ToolCall")?.length ?? 0,
    };
  });
}
