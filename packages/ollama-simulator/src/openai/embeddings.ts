import type { StruckFaults } from "../faults/fault-book.ts";
import { type Exchange, replyJson } from "../http/exchange.ts";
import { GoStruct } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";
import { embedTexts } from "../inference/embed-texts.ts";
import { parseInput } from "../native/embed.ts";
import { findEmbeddingModel } from "../native/find-model.ts";
import { parseOptions } from "../native/parse-options.ts";
import type { World } from "../world.ts";

export async function embeddings(world: World, exchange: Exchange, body: unknown, faults: StruckFaults) {
  const fields = new GoStruct("EmbedRequest", body);
  const encoding = fields.string("encoding_format").toLowerCase();
  if (!["", "float", "base64"].includes(encoding))
    throw new OllamaError(
      400,
      `Invalid value for 'encoding_format' = ${encoding}. Supported values: ['float', 'base64'].`,
    );
  const input = fields.raw("input");
  if (input === undefined) throw new OllamaError(400, "invalid input");
  const model = fields.string("model");
  const { vectors, metrics } = await embedTexts(world, exchange, {
    model: findEmbeddingModel(world.models, model),
    inputs: input === "" ? [""] : parseInput(input),
    truncate: true,
    dimensions: fields.integer("dimensions") ?? 0,
    options: parseOptions(undefined, undefined),
    keepAliveMs: undefined,
    faults,
  });
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    embedding:
      encoding === "base64" ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector,
    index,
  }));
  const usage = { prompt_tokens: metrics.promptTokens, total_tokens: metrics.promptTokens };
  replyJson(exchange, 200, { object: "list", data, model, usage });
  return "completed" as const;
}
