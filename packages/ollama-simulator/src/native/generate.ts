import { planAnswer, type ThinkLevel } from "../answer/plan-answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { OllamaError } from "../http/ollama-error.ts";
import type { InferenceJob } from "../inference/inference-job.ts";
import { load, serveInference, unload } from "../inference/serve-inference.ts";
import type { Surface } from "../inference/surface.ts";
import type { Capability } from "../models/capability.ts";
import type { ModelCard } from "../models/model-card.ts";
import { countTokens } from "../text/count-tokens.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import type { World } from "../world.ts";
import { answerText } from "./answer-text.ts";
import { type CompletionRequest, parseCompletionRequest, resolveThink } from "./completion-request.ts";
import { contextTokens } from "./context-tokens.ts";
import { createLogprobs } from "./create-logprobs.ts";
import { findModel, requireCapabilities } from "./find-model.ts";
import { createNativeSurface } from "./native-surface.ts";
import { parseFormat } from "./parse-format.ts";
import { countImages, requireSight, tokensPerImage } from "./parse-images.ts";
import { boundNumPredict, parseOptions } from "./parse-options.ts";

export type GenerateRequest = CompletionRequest & {
  prompt: string;
  suffix: string;
  system: string;
  raw: boolean;
  images: number;
};

export function parseGenerateRequest(body: unknown): GenerateRequest {
  const common = parseCompletionRequest("GenerateRequest", body);
  const { fields } = common;
  const request = {
    ...common,
    prompt: fields.string("prompt"),
    suffix: fields.string("suffix"),
    system: fields.string("system"),
    raw: fields.boolean("raw") ?? false,
    images: countImages(fields.list("images", "[]api.ImageData")),
  };
  const context = fields.list("context", "[]int") ?? [];
  if (request.raw && (fields.string("template") !== "" || request.system !== "" || context.length > 0))
    throw new OllamaError(400, "raw mode does not support template, system, or context");
  return request;
}

export async function generate(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const request = parseGenerateRequest(body);
  return await serveGenerate(world, exchange, request, faults, createGenerateSurface(request));
}

export async function serveGenerate(
  world: World,
  exchange: Exchange,
  request: GenerateRequest,
  faults: StruckFaults,
  surface: Surface,
): Promise<"completed" | "failed"> {
  const model = findModel(world.models, request.model);
  if (request.prompt === "" && request.keepAliveMs === 0) return unload(world, exchange, model, surface);
  const job = createGenerateJob(model, request, faults);
  if (request.prompt === "") return await load(world, exchange, job, surface);
  return await serveInference(world, exchange, job, surface, request.stream);
}

function createGenerateJob(model: ModelCard, request: GenerateRequest, faults: StruckFaults): InferenceJob {
  const think = resolveThink(model, request);
  requireCompletion(model, request);
  const options = parseOptions(request.options, request.shift);
  const text = [request.system, request.prompt, request.suffix].join("\n");
  return {
    model,
    modelName: request.model,
    options,
    keepAliveMs: request.keepAliveMs,
    truncate: request.truncate,
    promptTokens: countTokens(text) + request.images * tokensPerImage,
    faults,
    plan: (numCtx) => {
      requireSight(model, request.images);
      const format = parseFormat(request.format);
      // A grammar leaves a thinking model no room to think.
      const level: ThinkLevel = format.kind === "text" && !request.raw ? think : false;
      const identity = `${model.name}\n${text}`;
      return [
        planAnswer({
          ...options,
          numPredict: boundNumPredict(options, numCtx),
          identity,
          think: level,
          format,
          calls: [],
          text: answerText(faults),
        }),
      ];
    },
  };
}

function requireCompletion(model: ModelCard, request: GenerateRequest): void {
  if (!model.capabilities.has("completion"))
    throw new OllamaError(400, `${JSON.stringify(request.model)} does not support generate`);
  const wanted: Capability[] = request.suffix === "" ? [] : ["insert"];
  requireCapabilities(model, wanted);
}

function createGenerateSurface(request: GenerateRequest): Surface {
  return createNativeSurface({
    model: request.model,
    body: (response, thinking) => ({ response, ...(thinking === "" ? {} : { thinking }) }),
    logprobs: (token) => (request.logprobs ? createLogprobs(token, request.topLogprobs) : undefined),
    closing: (content) => (request.raw ? {} : { context: contextTokens(request.prompt + content) }),
  });
}
