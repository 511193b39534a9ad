import type { InferenceResult } from "@forebay/queue-contracts";
import type { ResponseJob } from "./response-job.ts";

type Message = ResponseJob["job"]["request"]["messages"][number];
type Kind = "rs" | "msg" | "fc";

/** What one generation said, in the order of a response's output. */
export type Said = {
  readonly thinking: string;
  readonly text: string;
  readonly toolCalls: readonly unknown[];
};

export type CalledTool = { readonly name: string; readonly arguments: string };

/** The id of an item a response has made. `index`: among those of its kind. */
export function outputItemId(jobId: string, kind: Kind, index = 0): string {
  return index === 0 ? `${kind}_${jobId}` : `${kind}_${jobId}_${index}`;
}

/**
 * Not Ollama's, which differ when a job begins anew: the same call has the same id from whatever attempt.
 */
export const callIdOf = (jobId: string, index: number): string => `call_${jobId}_${index}`;

export function calledTool(call: unknown): CalledTool {
  const { function: called } = call as { function: { name: string; arguments: unknown } };
  return { name: called.name, arguments: JSON.stringify(called.arguments) };
}

export function reasoningItem(id: string, text: string, status: string): object {
  const content = text === "" ? [] : [{ type: "reasoning_text", text }];
  return { id, type: "reasoning", summary: [], content, encrypted_content: null, status };
}

export function textPart(text: string, logprobs: readonly unknown[] = []): object {
  return { type: "output_text", text, annotations: [], logprobs };
}

export function messageItem(id: string, content: readonly object[], status: string): object {
  return { id, type: "message", role: "assistant", status, content };
}

export function callItem(
  jobId: string,
  index: number,
  { name, arguments: text }: CalledTool,
  status: string,
): object {
  const ids = { id: outputItemId(jobId, "fc", index), call_id: callIdOf(jobId, index) };
  return { ...ids, type: "function_call", name, arguments: text, status };
}

/** A response's output: thoughts, words, calls. */
export function outputItems(jobId: string, result: InferenceResult | undefined): object[] {
  if (result?.type !== "chat") return [];
  const { thinking, text, toolCalls } = saidIn(result);
  const cut = result.done_reason === "length";
  const items: object[] = [];
  if (thinking !== "") items.push(reasoningItem(outputItemId(jobId, "rs"), thinking, "completed"));
  if (text !== "") {
    const content = [textPart(text, logprobsOf(result))];
    items.push(messageItem(outputItemId(jobId, "msg"), content, cut ? "incomplete" : "completed"));
  }
  toolCalls.forEach((call, index) => items.push(callItem(jobId, index, calledTool(call), "completed")));
  return items;
}

export function saidIn(result: InferenceResult | undefined): Said {
  if (result?.type !== "chat") return { thinking: "", text: "", toolCalls: [] };
  const { content: text, thinking = "", tool_calls: toolCalls = [] } = result.message;
  return { thinking, text, toolCalls };
}

/** Ollama's are OpenAI's, but for the alternatives, which it leaves out when none were asked for. */
export function logprobsOf(result: InferenceResult | undefined): object[] {
  const given = result && "logprobs" in result ? (result.logprobs ?? []) : [];
  return given.map((each) => ({ top_logprobs: [], ...(each as object) }));
}

/** The job an item's id leads to; undefined when it is none of ours. */
export function jobIdOfItem(id: string): string | undefined {
  return /^(?:rs|msg|fc|in)_(j[0-9a-z]{33})(?:_\d+)?$/.exec(id)?.[1];
}

/** The item with this id, of what a response was given or said. */
export function findItem(response: ResponseJob, id: string): object | undefined {
  const items = [...outputItems(response.id, response.result), ...inputItems(response)];
  return items.find((item) => "id" in item && item.id === id);
}

/** What a response was given itself, as items again: parts of text come back as one. */
export function inputItems({ id, job }: ResponseJob): object[] {
  const own = job.request.messages.slice(-job.response.input);
  const items = own.flatMap(itemsOfMessage);
  return items.map((item, index) => ({ id: `in_${id}_${index}`, ...item, status: "completed" }));
}

function itemsOfMessage(message: Message): object[] {
  const { role, content, images = [], thinking, tool_calls: calls = [], tool_call_id: call_id } = message;
  if (role === "tool") return [{ type: "function_call_output", call_id, output: content }];
  const items: object[] = [];
  if (thinking) {
    items.push({ type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: thinking }] });
  }
  const said = role === "assistant" ? textPart(content) : { type: "input_text", text: content };
  const seen = images.map((data) => ({
    type: "input_image",
    detail: "auto",
    image_url: `data:${mediaTypeOf(data)};base64,${data}`,
  }));
  const parts = [...(content === "" && seen.length > 0 ? [] : [said]), ...seen];
  const silent = content === "" && (calls.length > 0 || thinking !== undefined);
  if (!silent) items.push({ type: "message", role, content: parts });
  for (const call of calls)
    items.push({ type: "function_call", call_id: call.id ?? "", ...calledTool(call) });
  return items;
}

/** A job keeps a picture without saying what it is; its first bytes do. */
function mediaTypeOf(base64: string): string {
  if (base64.startsWith("/9j/")) return "image/jpeg";
  if (base64.startsWith("R0lGOD")) return "image/gif";
  return base64.startsWith("UklGR") ? "image/webp" : "image/png";
}
