import type { InferenceResult } from "@forebay/queue-contracts";
import {
  calledTool,
  callItem,
  logprobsOf,
  messageItem,
  outputItemId,
  reasoningItem,
  type Said,
  textPart,
} from "./response-items.ts";

export type OutputEvent = { readonly type: string; readonly [field: string]: unknown };

/** The items of a response's output as events: opened when they begin, closed when the next one does. */
export type ResponseOutput = {
  /** undefined: it adds to an item that was closed before the generation began anew. */
  add(grown: Said): OutputEvent[] | undefined;
  /** The generation began anew: what was closed cannot grow any more. */
  restart(): void;
  finish(result: InferenceResult | undefined): OutputEvent[];
};

type Kind = "rs" | "msg";
type OpenItem = { readonly kind: Kind; readonly id: string; readonly index: number; text: string };

const eventName = { rs: "reasoning_text", msg: "output_text" } as const;

export function createResponseOutput(jobId: string): ResponseOutput {
  const made = { rs: 0, msg: 0, fc: 0 };
  let items = 0;
  let open: OpenItem | undefined;
  let restarted = false;

  const begin = (kind: Kind): OutputEvent[] => {
    open = { kind, id: outputItemId(jobId, kind, made[kind]++), index: items++, text: "" };
    const item =
      kind === "rs" ? reasoningItem(open.id, "", "in_progress") : messageItem(open.id, [], "in_progress");
    return [
      { type: "response.output_item.added", output_index: open.index, item },
      { type: "response.content_part.added", ...placeOf(open), part: partOf(kind, "") },
    ];
  };
  const close = (status: string, logprobs: readonly object[] = []): OutputEvent[] => {
    if (!open) return [];
    const { kind, id, index, text } = open;
    const place = placeOf(open);
    open = undefined;
    const part = partOf(kind, text, logprobs);
    const item = kind === "rs" ? reasoningItem(id, text, "completed") : messageItem(id, [part], status);
    const done = { type: `response.${eventName[kind]}.done`, ...place, text };
    return [
      kind === "msg" ? { ...done, logprobs } : done,
      { type: "response.content_part.done", ...place, part },
      { type: "response.output_item.done", output_index: index, item },
    ];
  };
  const grow = (kind: Kind, delta: string): OutputEvent[] => {
    if (delta === "") return [];
    const events = open?.kind === kind ? [] : [...close("completed"), ...begin(kind)];
    if (!open) return events;
    open.text += delta;
    const grown = { type: `response.${eventName[kind]}.delta`, ...placeOf(open), delta };
    return [...events, kind === "msg" ? { ...grown, logprobs: [] } : grown];
  };
  const callTool = (asked: unknown): OutputEvent[] => {
    const closing = close("completed");
    const called = calledTool(asked);
    const number = made.fc++;
    const output_index = items++;
    const place = { item_id: outputItemId(jobId, "fc", number), output_index };
    const begun = callItem(jobId, number, { ...called, arguments: "" }, "in_progress");
    const whole = callItem(jobId, number, called, "completed");
    return [
      ...closing,
      { type: "response.output_item.added", output_index, item: begun },
      { type: "response.function_call_arguments.delta", ...place, delta: called.arguments },
      { type: "response.function_call_arguments.done", ...place, ...called },
      { type: "response.output_item.done", output_index, item: whole },
    ];
  };
  const isClosed = (kind: Kind): boolean => {
    const later = made.msg + made.fc + (kind === "rs" ? made.rs : 0);
    return later > 0 && open?.kind !== kind;
  };

  return {
    restart() {
      restarted = true;
    },
    add({ thinking, text, toolCalls }) {
      if (restarted && thinking !== "" && isClosed("rs")) return undefined;
      if (restarted && text !== "" && isClosed("msg")) return undefined;
      return [...grow("rs", thinking), ...grow("msg", text), ...toolCalls.flatMap(callTool)];
    },
    finish(result) {
      const cut = result?.type === "chat" && result.done_reason === "length";
      return close(cut ? "incomplete" : "completed", logprobsOf(result));
    },
  };
}

const placeOf = ({ id, index }: OpenItem) => ({ item_id: id, output_index: index, content_index: 0 });

function partOf(kind: Kind, text: string, logprobs: readonly object[] = []): object {
  return kind === "rs" ? { type: eventName.rs, text } : textPart(text, logprobs);
}
