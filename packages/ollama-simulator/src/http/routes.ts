import type { StruckFaults } from "../faults/fault-book.ts";
import { chat } from "../native/chat.ts";
import { embed, embedLegacy } from "../native/embed.ts";
import { generate } from "../native/generate.ts";
import { processes, tags, version } from "../native/lists.ts";
import type { World } from "../world.ts";
import { type Exchange, replyText } from "./exchange.ts";

/** Answers at once. */
export type PlainHandler = (world: World, exchange: Exchange, body: unknown) => void | Promise<void>;
/** Makes a model work: counted, logged, and open to faults. */
export type InferenceHandler = (
  world: World,
  exchange: Exchange,
  body: unknown,
  faults: StruckFaults,
) => Promise<"completed" | "failed">;

export type Route = { kind: "plain"; handle: PlainHandler } | { kind: "inference"; handle: InferenceHandler };

const running: PlainHandler = (_world, exchange) => replyText(exchange, 200, "Ollama is running");

export const routes = new Map<string, Map<string, Route>>([
  ["/", plain(["GET", "HEAD"], running)],
  ["/api/version", plain(["GET", "HEAD"], version)],
  ["/api/tags", plain(["GET", "HEAD"], tags)],
  ["/api/ps", plain(["GET"], processes)],
  ["/api/generate", inference(generate)],
  ["/api/chat", inference(chat)],
  ["/api/embed", inference(embed)],
  ["/api/embeddings", inference(embedLegacy)],
]);

function plain(methods: string[], handle: PlainHandler): Map<string, Route> {
  return new Map(methods.map((method) => [method, { kind: "plain", handle }]));
}

function inference(handle: InferenceHandler): Map<string, Route> {
  return new Map([["POST", { kind: "inference", handle }]]);
}
