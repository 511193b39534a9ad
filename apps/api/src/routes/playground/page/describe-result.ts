import { answerText, type JobResult } from "@forebay/client";

/** What a result holds beside, or instead of, text that was streamed. */
export function describeResult(result: JobResult | null, textShown: boolean): string {
  if (result === null) return "";
  if ("embeddings" in result) return describeVectors(result.embeddings);
  const calls = "message" in result ? (result.message.tool_calls ?? []) : [];
  const text = textShown ? "" : answerText(result);
  return [text, ...calls.map((call) => JSON.stringify(call, undefined, 2))].filter(Boolean).join("\n\n");
}

function describeVectors(vectors: readonly number[][]): string {
  const lines = vectors
    .slice(0, 5)
    .map((vector) => `[${vector.slice(0, 8).join(", ")}${vector.length > 8 ? ", …" : ""}]`);
  const many = `${vectors.length} vector${vectors.length === 1 ? "" : "s"} of ${vectors[0]?.length ?? 0} numbers`;
  return [`${many}:`, ...lines, ...(vectors.length > 5 ? ["…"] : [])].join("\n");
}
