/** Longest error text that is kept. */
const charsMax = 400;

/**
 * The words in an error body. Ollama wraps them as `{"error": "…"}`, and since 0.30 that text may itself be
 * the JSON body of llama-server, whose words are inside once more.
 */
export function errorText(body: string, depth = 0): string {
  const trimmed = body.trim();
  if (trimmed.startsWith("{") && depth < 4) {
    const inner = innerError(trimmed);
    if (inner !== undefined) return errorText(inner, depth + 1);
  }
  return trimmed.slice(0, charsMax);
}

function innerError(json: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    if ("error" in parsed)
      return typeof parsed.error === "string" ? parsed.error : JSON.stringify(parsed.error);
    return "message" in parsed && typeof parsed.message === "string" ? parsed.message : undefined;
  } catch {
    return undefined;
  }
}
