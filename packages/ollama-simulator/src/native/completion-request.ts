import type { ThinkLevel } from "../answer/plan-answer.ts";
import { GoStruct } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { ModelCard } from "../models/model-card.ts";
import { parseKeepAlive } from "./parse-keep-alive.ts";
import { parseThink } from "./parse-think.ts";

/** What generate and chat have in common. */
export type CompletionRequest = {
  fields: GoStruct;
  model: string;
  stream: boolean;
  keepAliveMs: number | undefined;
  options: Record<string, unknown> | undefined;
  shift: boolean | undefined;
  truncate: boolean;
  think: ThinkLevel | undefined;
  format: unknown;
  logprobs: boolean;
  topLogprobs: number;
};

export function parseCompletionRequest(
  struct: "GenerateRequest" | "ChatRequest",
  body: unknown,
): CompletionRequest {
  const fields = new GoStruct(struct, body);
  const request = {
    fields,
    model: fields.string("model"),
    stream: fields.boolean("stream") ?? true,
    keepAliveMs: parseKeepAlive(fields.raw("keep_alive")),
    options: fields.record("options"),
    shift: fields.boolean("shift"),
    truncate: fields.boolean("truncate") ?? true,
    think: parseThink(fields.raw("think")),
    format: fields.raw("format"),
    logprobs: fields.boolean("logprobs") ?? false,
    topLogprobs: fields.integer("top_logprobs") ?? 0,
  };
  if (request.topLogprobs < 0 || request.topLogprobs > 20)
    throw new OllamaError(400, "top_logprobs must be between 0 and 20");
  return request;
}

/** A model that can think does, unless told not to. */
export function resolveThink(model: ModelCard, request: CompletionRequest): ThinkLevel {
  if (model.capabilities.has("thinking")) return request.think ?? "medium";
  if (request.think !== undefined && request.think !== false)
    throw new OllamaError(400, `${JSON.stringify(request.model)} does not support thinking`);
  return false;
}
