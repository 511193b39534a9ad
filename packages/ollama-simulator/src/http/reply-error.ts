import { openaiError } from "../openai/openai-error.ts";
import { type Exchange, replyJson } from "./exchange.ts";
import { OllamaError } from "./ollama-error.ts";

/** In the shape of the API that was called. */
export function replyError(exchange: Exchange, status: number, message: string): void {
  const body = exchange.path.startsWith("/v1/") ? openaiError(status, message) : { error: message };
  replyJson(exchange, status, body);
}

/** Nobody is told when nobody listens any more. */
export function replyFailure(exchange: Exchange, error: unknown): void {
  if (exchange.signal.aborted) return;
  const status = error instanceof OllamaError ? error.status : 500;
  replyError(exchange, status, error instanceof Error ? error.message : String(error));
}
