import type { AnswerPart, ToolCall } from "../answer/answer.ts";
import type { Surface } from "../inference/surface.ts";
import { openaiError } from "./openai-error.ts";
import { finalMarker, serverSentEvent, usageOf } from "./server-sent-event.ts";

type Shape = {
  id: string;
  model: string;
  includeUsage: boolean;
  logprobs(token: string): Record<string, unknown>[];
};

export function createChatCompletionSurface(shape: Shape): Surface {
  const created = Math.floor(Date.now() / 1000);
  const head = (object: string) => ({
    id: shape.id,
    object,
    created,
    model: shape.model,
    system_fingerprint: "fp_ollama",
  });
  const event = (choices: unknown[], rest = {}) =>
    serverSentEvent({ ...head("chat.completion.chunk"), choices, ...rest });
  let first = true;
  let called = false;
  const delta = (part: Record<string, unknown>, logprobs: unknown[]) => {
    const role = first ? { role: "assistant" } : {};
    first = false;
    const rest = logprobs.length === 0 ? {} : { logprobs: { content: logprobs } };
    return event([{ index: 0, delta: { ...role, ...part }, finish_reason: null, ...rest }]);
  };
  const finish = (reason: string) => (reason === "stop" && called ? "tool_calls" : reason);
  return {
    contentType: "text/event-stream",
    chunk(part) {
      called ||= part.kind === "tool_calls";
      return delta(deltaOf(part), part.kind === "tool_calls" ? [] : shape.logprobs(part.text));
    },
    close(reason, metrics) {
      // A stream without any content still opens with a role.
      const opening = first ? delta({ content: "" }, []) : "";
      const last = event([{ index: 0, delta: {}, finish_reason: finish(reason) }]);
      const usage = shape.includeUsage ? event([], { usage: usageOf(metrics) }) : "";
      return opening + last + usage + finalMarker;
    },
    // Ollama takes its own error line for an empty chunk: the failure does not reach the caller.
    broken: () => delta({ content: "" }, []),
    whole(parts, ending) {
      called = parts.some((part) => part.kind === "tool_calls");
      const logprobs = parts.flatMap((part) => (part.kind === "tool_calls" ? [] : shape.logprobs(part.text)));
      const choice = {
        index: 0,
        message: { role: "assistant", ...messageOf(parts) },
        finish_reason: ending === undefined ? null : finish(ending.reason),
        ...(logprobs.length === 0 ? {} : { logprobs: { content: logprobs } }),
      };
      return { ...head("chat.completion"), choices: [choice], usage: usageOf(ending?.metrics) };
    },
    // Unreachable: a request without messages was refused.
    empty: () => ({ ...head("chat.completion"), choices: [], usage: usageOf(undefined) }),
    error: openaiError,
  };
}

function deltaOf(part: AnswerPart): Record<string, unknown> {
  switch (part.kind) {
    case "content":
      return { content: part.text };
    case "thinking":
      return { content: "", reasoning: part.text };
    case "tool_calls":
      return { content: "", tool_calls: part.calls.map(toOpenaiCall) };
  }
}

function messageOf(parts: readonly AnswerPart[]): Record<string, unknown> {
  const text = (kind: string) =>
    parts.map((part) => (part.kind !== "tool_calls" && part.kind === kind ? part.text : "")).join("");
  const reasoning = text("thinking");
  const calls = parts.flatMap((part) => (part.kind === "tool_calls" ? part.calls.map(toOpenaiCall) : []));
  return {
    content: text("content"),
    ...(reasoning === "" ? {} : { reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function toOpenaiCall({ id, function: { index, name, arguments: given } }: ToolCall) {
  return { id, index, type: "function", function: { name, arguments: JSON.stringify(given) } };
}
