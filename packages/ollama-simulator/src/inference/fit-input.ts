import { countTokens } from "../text/count-tokens.ts";
import { EmbeddingError } from "./embedding-error.ts";

/** The part of an input that fits the context, which loses a token at either end. */
export function fitInput(text: string, numCtx: number, truncate: boolean): { text: string; tokens: number } {
  const limit = numCtx - 2;
  const tokens = countTokens(text);
  if (tokens <= limit) return { text, tokens };
  if (!truncate) throw new EmbeddingError("the input length exceeds the context length");
  if (limit <= 0) throw new EmbeddingError("input after truncation exceeds maximum context length");
  return { text: text.slice(0, Math.floor((text.length * limit) / tokens)), tokens: limit };
}
