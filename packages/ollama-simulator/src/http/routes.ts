import type { StruckFaults } from "../faults/fault-book.ts";
import { chat } from "../native/chat.ts";
import { embed, embedLegacy } from "../native/embed.ts";
import { generate } from "../native/generate.ts";
import { copy, create, pull, push, remove } from "../native/administration.ts";
import { processes, status, tags, version } from "../native/lists.ts";
import { show } from "../native/show.ts";
import { chatCompletions, completions } from "../openai/completions.ts";
import { embeddings } from "../openai/embeddings.ts";
import { listModels, retrieveModel } from "../openai/models.ts";
import type { World } from "../world.ts";
import { type Exchange, replyText } from "./exchange.ts";

/** Answers at once. */
type PlainHandler = (world: World, exchange: Exchange, body: unknown) => void | Promise<void>;
/** Makes a model work: counted, logged, and open to faults. */
type InferenceHandler = (
  world: World,
  exchange: Exchange,
  body: unknown,
  faults: StruckFaults,
) => Promise<"completed" | "failed">;

export type Route = { kind: "plain"; handle: PlainHandler } | { kind: "inference"; handle: InferenceHandler };

const running: PlainHandler = (_world, exchange) => replyText(exchange, 200, "Ollama is running");

const routes = new Map<string, Map<string, Route>>([
  ["/", plain(["GET", "HEAD"], running)],
  ["/api/version", plain(["GET", "HEAD"], version)],
  ["/api/tags", plain(["GET", "HEAD"], tags)],
  ["/api/ps", plain(["GET"], processes)],
  ["/api/status", plain(["GET"], status)],
  ["/api/show", plain(["POST"], show)],
  ["/api/pull", plain(["POST"], pull)],
  ["/api/push", plain(["POST"], push)],
  ["/api/create", plain(["POST"], create)],
  ["/api/copy", plain(["POST"], copy)],
  ["/api/delete", plain(["DELETE"], remove)],
  ["/api/generate", inference(generate)],
  ["/api/chat", inference(chat)],
  ["/api/embed", inference(embed)],
  ["/api/embeddings", inference(embedLegacy)],
  ["/v1/chat/completions", inference(chatCompletions)],
  ["/v1/completions", inference(completions)],
  ["/v1/embeddings", inference(embeddings)],
  ["/v1/models", plain(["GET"], listModels)],
]);

const oneModel = plain(["GET"], retrieveModel);

/** The methods of a path, undefined where there is nothing. */
export function findRoutes(path: string): Map<string, Route> | undefined {
  return path.startsWith("/v1/models/") ? oneModel : routes.get(path);
}

function plain(methods: string[], handle: PlainHandler): Map<string, Route> {
  return new Map(methods.map((method) => [method, { kind: "plain", handle }]));
}

function inference(handle: InferenceHandler): Map<string, Route> {
  return new Map([["POST", { kind: "inference", handle }]]);
}
