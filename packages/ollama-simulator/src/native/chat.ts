import { type AnswerRequest, planAnswer, type ThinkLevel } from "../answer/plan-answer.ts";
import type { Answer } from "../answer/answer.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import type { Exchange } from "../http/exchange.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { InferenceJob } from "../inference/inference-job.ts";
import { load, serveInference, unload } from "../inference/serve-inference.ts";
import type { Surface } from "../inference/surface.ts";
import type { ModelCard } from "../models/model-card.ts";
import { countTokens } from "../text/count-tokens.ts";
import type { World } from "../world.ts";
import { answerText } from "./answer-text.ts";
import { type CompletionRequest, parseCompletionRequest, resolveThink } from "./completion-request.ts";
import { createLogprobs } from "./create-logprobs.ts";
import { findModel, requireCapabilities, requireName } from "./find-model.ts";
import { createNativeSurface } from "./native-surface.ts";
import { parseFormat } from "./parse-format.ts";
import { requireSight, tokensPerImage } from "./parse-images.ts";
import { type ChatMessage, parseMessages } from "./parse-messages.ts";
import { boundNumPredict, parseOptions } from "./parse-options.ts";
import { chooseCalls, parseTools, type Tool } from "./parse-tools.ts";

export type ChatRequest = CompletionRequest & { messages: ChatMessage[]; tools: Tool[] };

// What a chat template adds around every message.
const tokensPerMessage = 4;

export function parseChatRequest(body: unknown): ChatRequest {
  const common = parseCompletionRequest("ChatRequest", body);
  return {
    ...common,
    messages: parseMessages(common.fields.list("messages", "[]api.Message") ?? []),
    tools: parseTools(common.fields.list("tools", "api.Tools")),
  };
}

export async function chat(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const request = parseChatRequest(body);
  return await serveChat(world, exchange, request, faults, createChatSurface(request));
}

export async function serveChat(
  world: World,
  exchange: Exchange,
  request: ChatRequest,
  faults: StruckFaults,
  surface: Surface,
): Promise<"completed" | "failed"> {
  requireName(request.model);
  const model = findModel(world.models, request.model);
  const empty = request.messages.length === 0;
  if (empty && request.keepAliveMs === 0) return unload(world, exchange, model, surface);
  const job = createChatJob(model, request, faults);
  if (empty) return await load(world, exchange, job, surface);
  return await serveInference(world, exchange, job, surface, request.stream);
}

function createChatJob(model: ModelCard, request: ChatRequest, faults: StruckFaults): InferenceJob {
  const think = resolveThink(model, request);
  if (!model.capabilities.has("completion"))
    throw new OllamaError(400, `${JSON.stringify(request.model)} does not support chat`);
  requireCapabilities(model, request.tools.length > 0 ? ["tools"] : []);
  const options = parseOptions(request.options, request.shift);
  const text = request.messages.map(({ role, content }) => `${role}: ${content}`).join("\n");
  const images = request.messages.reduce((sum, message) => sum + message.images, 0);
  return {
    model,
    modelName: request.model,
    options,
    keepAliveMs: request.keepAliveMs,
    truncate: request.truncate,
    promptTokens: countTokens(text) + request.messages.length * tokensPerMessage + images * tokensPerImage,
    faults,
    plan: (numCtx) => {
      requireSight(model, images);
      const calls = chooseCalls(request.messages, request.tools);
      const identity = `${model.name}\n${text}`;
      const format = parseFormat(request.format);
      return planTurns({
        ...options,
        numPredict: boundNumPredict(options, numCtx),
        identity,
        think,
        format,
        calls,
        text: answerText(faults),
      });
    },
  };
}

/** To think and then keep to a format takes two runs, with the slot let go in between. */
function planTurns(request: AnswerRequest): Answer[] {
  if (request.think === false || request.format.kind === "text") return [planAnswer(request)];
  const thinking = planAnswer(request).parts.filter((part) => part.kind === "thinking");
  const noThought: ThinkLevel = false;
  return [{ parts: thinking, doneReason: "stop" }, planAnswer({ ...request, think: noThought })];
}

function createChatSurface(request: ChatRequest): Surface {
  return createNativeSurface({
    model: request.model,
    body: (content, thinking, calls) => ({
      message: {
        role: "assistant",
        content,
        ...(thinking === "" ? {} : { thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
    }),
    logprobs: (token) => (request.logprobs ? createLogprobs(token, request.topLogprobs) : undefined),
    closing: () => ({}),
  });
}
