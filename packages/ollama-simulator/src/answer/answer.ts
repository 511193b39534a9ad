export type ToolCall = { id: string; function: { index: number; name: string; arguments: unknown } };

/** One step of a generation, as it goes over the wire. */
export type AnswerPart =
  | { kind: "thinking" | "content"; text: string }
  /** Held back until the call is complete, so it costs several tokens and is one chunk. */
  | { kind: "tool_calls"; calls: ToolCall[]; tokens: number };

export type Answer = { parts: AnswerPart[]; doneReason: "stop" | "length" };

export function tokensOf(part: AnswerPart): number {
  return part.kind === "tool_calls" ? part.tokens : 1;
}
