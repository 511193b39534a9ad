import type { InferenceResult, Lane } from "@forebay/queue-contracts";

/** What an answer has grown by. */
type Delta = { readonly text: string; readonly thinking: string; readonly toolCalls: readonly unknown[] };
type Head = { readonly id: string; readonly model: string; readonly lane: Lane };
type Answered = { readonly result?: InferenceResult | undefined };

export type MessageEvent = { readonly type: string; readonly [field: string]: unknown };

/** A message as Anthropic's SDKs read it: whole, or as the events of a stream. */
export type MessageAnswer = {
  whole(job: Answered): object;
  /** The stream's first event. */ start(): MessageEvent;
  grow(delta: Delta): MessageEvent[];
  finish(job: Answered): MessageEvent[];
};

/** Anthropic's names for what a message was served in. */
const tierOfLane = { interactive: "priority", standard: "standard", batch: "batch" } as const;

export function createMessageAnswer(given: Head): MessageAnswer {
  const { id, lane } = given;
  // Read when it is said: a job may go on with another model.
  const head = () => ({ id: `msg_${id}`, type: "message", role: "assistant", model: given.model });
  let blocks = 0;
  let calls = 0;
  let open: "text" | "thinking" | undefined;

  const usage = ({ result }: Answered): object => ({
    input_tokens: result?.usage.prompt_tokens ?? 0,
    output_tokens: result?.usage.completion_tokens ?? 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  });
  const toolUse = (call: unknown, index: number) => {
    const { function: called } = call as { function: { name: string; arguments: unknown } };
    return { type: "tool_use", id: `toolu_${id}_${index}`, name: called.name, input: called.arguments };
  };
  const close = (): MessageEvent[] => {
    if (!open) return [];
    // What a client must send back to go on; there is nothing here to sign.
    const signed = { type: "signature_delta", signature: "" };
    const last =
      open === "thinking" ? [{ type: "content_block_delta", index: blocks - 1, delta: signed }] : [];
    open = undefined;
    return [...last, { type: "content_block_stop", index: blocks - 1 }];
  };
  const write = (kind: "text" | "thinking", piece: string): MessageEvent[] => {
    if (piece === "") return [];
    const events: MessageEvent[] = [];
    if (open !== kind) {
      events.push(...close());
      const empty = kind === "text" ? textBlock("") : thinkingBlock("");
      events.push({ type: "content_block_start", index: blocks++, content_block: empty });
      open = kind;
    }
    const delta = { type: `${kind}_delta`, [kind]: piece };
    return [...events, { type: "content_block_delta", index: blocks - 1, delta }];
  };
  const call = (asked: unknown): MessageEvent[] => {
    const closing = close();
    const index = blocks++;
    const block = toolUse(asked, calls++);
    const delta = { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
    return [
      ...closing,
      { type: "content_block_start", index, content_block: { ...block, input: {} } },
      { type: "content_block_delta", index, delta },
      { type: "content_block_stop", index },
    ];
  };

  return {
    whole(job) {
      const message = job.result?.type === "chat" ? job.result.message : { content: "" };
      const {
        content: text,
        thinking = "",
        tool_calls = [],
      } = message as {
        content: string;
        thinking?: string;
        tool_calls?: unknown[];
      };
      const content = [
        ...(thinking === "" ? [] : [thinkingBlock(thinking)]),
        ...(text === "" ? [] : [textBlock(text)]),
        ...tool_calls.map(toolUse),
      ];
      const ended = { stop_reason: stopReason(job), stop_sequence: null };
      return { ...head(), content, ...ended, usage: { ...usage(job), service_tier: tierOfLane[lane] } };
    },
    start: () => ({
      type: "message_start",
      message: {
        ...head(),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        // Ollama counts the prompt when it is done: `message_delta` has the true number.
        usage: { ...usage({}), service_tier: tierOfLane[lane] },
      },
    }),
    grow: ({ thinking, text, toolCalls }) => [
      ...write("thinking", thinking),
      ...write("text", text),
      ...toolCalls.flatMap(call),
    ],
    finish: (job) => [
      ...close(),
      {
        type: "message_delta",
        delta: { stop_reason: stopReason(job), stop_sequence: null },
        usage: usage(job),
      },
      { type: "message_stop" },
    ],
  };
}

const textBlock = (text: string) => ({ type: "text", text, citations: null });
const thinkingBlock = (thinking: string) => ({ type: "thinking", thinking, signature: "" });

/** Ollama does not tell a stop sequence from the model's own end: both are the end of the turn. */
function stopReason({ result }: Answered): string {
  if (result?.type === "chat" && result.message.tool_calls?.length) return "tool_use";
  return result && "done_reason" in result && result.done_reason === "length" ? "max_tokens" : "end_turn";
}
