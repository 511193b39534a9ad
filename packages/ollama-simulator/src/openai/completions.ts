import type { StruckFaults } from "../faults/fault-book.ts";
import type { Exchange } from "../http/exchange.ts";
import { GoStruct } from "../http/go-struct.ts";
import { createLogprobs } from "../native/create-logprobs.ts";
import { parseChatRequest, serveChat } from "../native/chat.ts";
import { parseGenerateRequest, serveGenerate } from "../native/generate.ts";
import { hashText } from "../text/seeded-random.ts";
import type { World } from "../world.ts";
import { createChatCompletionSurface } from "./chat-completion-surface.ts";
import { sharedOptions } from "./shared-options.ts";
import { createTextCompletionSurface } from "./text-completion-surface.ts";
import { toChatBody } from "./to-chat-body.ts";

export async function chatCompletions(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const request = parseChatRequest(toChatBody(body));
  const surface = createChatCompletionSurface({
    id: `chatcmpl-${hashText(JSON.stringify(body)) % 999}`,
    model: request.model,
    includeUsage: wantsUsage(body),
    logprobs: (token) => (request.logprobs ? createLogprobs(token, request.topLogprobs) : []),
  });
  return await serveChat(world, exchange, request, faults, surface);
}

export async function completions(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const fields = new GoStruct("CompletionRequest", body);
  const request = parseGenerateRequest({
    model: fields.string("model"),
    prompt: fields.string("prompt"),
    suffix: fields.string("suffix"),
    stream: fields.boolean("stream") ?? false,
    options: sharedOptions(fields),
  });
  const id = `cmpl-${hashText(JSON.stringify(body)) % 999}`;
  const surface = createTextCompletionSurface({ id, model: request.model, includeUsage: wantsUsage(body) });
  return await serveGenerate(world, exchange, request, faults, surface);
}

function wantsUsage(body: unknown): boolean {
  return new GoStruct("CompletionRequest", body).record("stream_options")?.include_usage === true;
}
