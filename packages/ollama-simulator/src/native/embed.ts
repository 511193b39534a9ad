import type { StruckFaults } from "../faults/fault-book.ts";
import { type Exchange, replyJson } from "../http/exchange.ts";
import { GoStruct } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";
import { embedTexts } from "../inference/embed-texts.ts";
import { EmbeddingError } from "../inference/embedding-error.ts";
import type { World } from "../world.ts";
import { findEmbeddingModel } from "./find-model.ts";
import { durations } from "./native-surface.ts";
import { parseKeepAlive } from "./parse-keep-alive.ts";
import { parseOptions } from "./parse-options.ts";

export async function embed(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const fields = new GoStruct("EmbedRequest", body);
  const modelName = fields.string("model");
  const inputs = parseInput(fields.raw("input"));
  const embedded = await embedTexts(world, exchange, {
    model: findEmbeddingModel(world.models, modelName),
    inputs,
    truncate: fields.boolean("truncate") ?? true,
    dimensions: fields.integer("dimensions") ?? 0,
    options: parseOptions(fields.record("options"), undefined),
    keepAliveMs: parseKeepAlive(fields.raw("keep_alive")),
    faults,
  });
  const { total_duration, load_duration, prompt_eval_count } = durations(embedded.metrics);
  const metrics = inputs.length === 0 ? {} : { total_duration, load_duration, prompt_eval_count };
  replyJson(exchange, 200, { model: modelName, embeddings: embedded.vectors, ...metrics });
  return "completed" as const;
}

/** The older endpoint: one prompt, one vector, and 500 where the new one says 400. */
export async function embedLegacy(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const fields = new GoStruct("EmbeddingRequest", body);
  const prompt = fields.string("prompt");
  const modelName = fields.string("model");
  if (modelName === "") throw new OllamaError(400, "model is required");
  const embedded = embedTexts(world, exchange, {
    model: findEmbeddingModel(world.models, modelName),
    inputs: prompt === "" ? [] : [prompt],
    truncate: true,
    dimensions: 0,
    options: parseOptions(fields.record("options"), undefined),
    keepAliveMs: parseKeepAlive(fields.raw("keep_alive")),
    faults,
  });
  const { vectors } = await embedded.catch((error: unknown) => {
    throw error instanceof EmbeddingError ? new OllamaError(500, error.message) : error;
  });
  replyJson(exchange, 200, { embedding: vectors[0] ?? [] });
  return "completed" as const;
}

export function parseInput(input: unknown): string[] {
  if (input === undefined || input === "") return [];
  const list = Array.isArray(input) ? input : [input];
  if (!list.every((item) => typeof item === "string")) throw new OllamaError(400, "invalid input type");
  return list;
}
