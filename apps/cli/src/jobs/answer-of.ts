import { answerText, type JobView } from "@forebay/client";

/**
 * What a completed job's answer is in a terminal: its text, otherwise its tool calls or vectors as JSON.
 *
 * @param textShown the text has been written already: only what is beside it
 */
export function answerOf({ result }: JobView, textShown: boolean): string {
  if (result === null) return "";
  if ("embeddings" in result) return JSON.stringify(result.embeddings);
  const calls = "message" in result ? (result.message.tool_calls ?? []) : [];
  const text = textShown ? "" : answerText(result);
  return [text, ...calls.map((call) => JSON.stringify(call))].filter(Boolean).join("\n");
}
