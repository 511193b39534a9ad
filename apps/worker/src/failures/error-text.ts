/** Longest error text that is kept. */
const charsMax = 400;
const clauseCharsMax = 160;
/** A body within a body within a body is the most Ollama makes. */
const depthMax = 4;

/**
 * The words in an error body. Ollama wraps them as `{"error": "…"}`, and since 0.30 that text may itself be
 * the JSON body of llama-server, whose words are inside once more.
 */
export function errorText(body: string): string {
  let text = body.trim();
  for (let depth = 0; depth < depthMax && text.startsWith("{"); depth++) {
    const inner = innerError(text);
    if (inner === undefined) break;
    text = inner.trim();
  }
  return text.slice(0, charsMax);
}

/**
 * The beginning of a text nobody knows, up to where it could go on with what was asked or answered: llama-server
 * ends some of its errors with the whole conversation.
 */
export function firstClause(text: string): string {
  const [clause = ""] = text.slice(0, clauseCharsMax).split(/[:;"'`{[(<\n\r]/, 1);
  return clause.trim();
}

function innerError(json: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    if ("error" in parsed)
      return typeof parsed.error === "string" ? parsed.error : JSON.stringify(parsed.error);
    if (!("message" in parsed) || typeof parsed.message !== "string") return undefined;
    // llama-server's `type` is steadier than its words.
    const type = "type" in parsed && typeof parsed.type === "string" ? parsed.type : undefined;
    const nested = parsed.message.trimStart().startsWith("{");
    return type === undefined || nested ? parsed.message : `${parsed.message} (${type})`;
  } catch {
    return undefined;
  }
}
