import { OllamaError } from "../http/ollama-error.ts";
import type { Capability } from "../models/capability.ts";
import type { ModelCard } from "../models/model-card.ts";
import { fullModelName, parseModelName } from "../models/model-name.ts";
import type { ModelStore } from "../models/model-store.ts";

export function findModel(models: ModelStore, name: string): ModelCard {
  const card = models.find(name);
  if (card === undefined) throw isBadName(name) ? badName() : modelNotFound(name);
  return card;
}

/** The embedding endpoints word it in another way. */
export function findEmbeddingModel(models: ModelStore, name: string): ModelCard {
  const card = models.find(name);
  if (card !== undefined) return card;
  if (name === "") throw modelNotFound(name);
  if (isBadName(name)) throw badName();
  throw new OllamaError(404, `model ${JSON.stringify(name)} not found, try pulling it first`);
}

/** Most endpoints; generate speaks of an unknown model instead. */
export function requireName(name: string): void {
  if (name === "") throw new OllamaError(400, "model is required");
}

export function modelNotFound(name: string): OllamaError {
  return new OllamaError(404, `model '${name}' not found`);
}

/** In the order and the words of Ollama's CheckCapabilities. */
export function requireCapabilities(model: ModelCard, wanted: readonly Capability[]): void {
  const missing = wanted.filter((capability) => !model.capabilities.has(capability));
  if (missing.length === 0) return;
  throw new OllamaError(400, `${fullModelName(model.name)} does not support ${missing.join("\n")}`);
}

function isBadName(name: string): boolean {
  return name !== "" && parseModelName(name) === undefined;
}

function badName(): OllamaError {
  return new OllamaError(400, "invalid model name");
}
