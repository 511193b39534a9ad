import { OllamaError } from "../http/ollama-error.ts";
import type { Capability, ModelCard } from "../models/model-card.ts";
import { fullModelName, parseModelName } from "../models/model-name.ts";
import type { ModelStore } from "../models/model-store.ts";

/** `invalidName` is what this endpoint says to a name that is none, the empty one included. */
export function findModel(models: ModelStore, name: string, invalidName: OllamaError): ModelCard {
  if (name !== "" && parseModelName(name) === undefined) throw new OllamaError(400, "invalid model name");
  if (name === "") throw invalidName;
  const card = models.find(name);
  if (card === undefined) throw modelNotFound(name);
  return card;
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

/** The embedding endpoints word it in another way. */
export function findEmbeddingModel(models: ModelStore, name: string): ModelCard {
  if (name !== "" && parseModelName(name) === undefined) throw new OllamaError(400, "invalid model name");
  if (name === "") throw modelNotFound(name);
  const card = models.find(name);
  if (card === undefined)
    throw new OllamaError(404, `model ${JSON.stringify(name)} not found, try pulling it first`);
  return card;
}
