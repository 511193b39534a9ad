import { type Exchange, replyJson } from "../http/exchange.ts";
import type { ModelCard } from "../models/model-card.ts";
import { modelNotFound } from "../native/find-model.ts";
import type { World } from "../world.ts";

export function listModels({ models }: World, exchange: Exchange): void {
  replyJson(exchange, 200, { object: "list", data: models.list().map((card) => toModel(card, card.name)) });
}

/** The name is the rest of the path, slashes and all. */
export function retrieveModel({ models }: World, exchange: Exchange): void {
  const name = decodeURIComponent(exchange.path.slice("/v1/models/".length));
  const card = models.find(name);
  if (card === undefined) throw modelNotFound(name);
  replyJson(exchange, 200, toModel(card, name));
}

function toModel(card: ModelCard, id: string) {
  const owner = card.name.includes("/") ? card.name.slice(0, card.name.lastIndexOf("/")) : "library";
  return { id, object: "model", created: Math.floor(card.modifiedAt.getTime() / 1000), owned_by: owner };
}
