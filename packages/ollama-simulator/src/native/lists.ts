import { type Exchange, replyJson } from "../http/exchange.ts";
import type { ModelCard } from "../models/model-card.ts";
import { simulatedVersion, type World } from "../world.ts";

export function version({ counters }: World, exchange: Exchange): void {
  counters.probed();
  replyJson(exchange, 200, { version: simulatedVersion });
}

export function status(_world: World, exchange: Exchange): void {
  replyJson(exchange, 200, { cloud: { disabled: true, source: "env" } });
}

export function tags({ models }: World, exchange: Exchange): void {
  const list = models.list().map((card) => ({
    name: card.name,
    model: card.name,
    modified_at: card.modifiedAt.toISOString(),
    size: card.sizeBytes,
    digest: card.digest,
    details: modelDetails(card),
    capabilities: [...card.capabilities],
  }));
  replyJson(exchange, 200, { models: list });
}

/** Only what is fully loaded; nothing tells whether it is in use or on its way out. */
export function processes({ scheduler, clock }: World, exchange: Exchange): void {
  const now = clock.now();
  const list = scheduler.runners.map(({ model, expiresAt, keepAliveMs, numCtx, slots }) => {
    const size = model.sizeBytes + numCtx * slots.size * bytesPerContextToken;
    return {
      name: model.name,
      model: model.name,
      size,
      digest: model.digest,
      details: modelDetails(model),
      expires_at: new Date(
        Date.now() + Math.min((expiresAt ?? now + keepAliveMs) - now, forEverMs),
      ).toISOString(),
      size_vram: size,
      context_length: numCtx,
    };
  });
  list.sort((a, b) => b.expires_at.localeCompare(a.expires_at));
  replyJson(exchange, 200, { models: list });
}

// Key and value of one token in a model of about 8 B with grouped attention.
const bytesPerContextToken = 131_072;
// Go's longest duration, 292 years: what "for ever" looks like from outside.
const forEverMs = 2 ** 63 / 1e6;

export function modelDetails(card: ModelCard) {
  return {
    parent_model: "",
    format: "gguf",
    family: card.family,
    families: [card.family],
    parameter_size: card.parameterSize,
    quantization_level: card.quantization,
  };
}
