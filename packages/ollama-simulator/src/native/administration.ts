import { type Exchange, replyEmpty, replyJson, writeDrained } from "../http/exchange.ts";
import { GoStruct, isRecord } from "../http/go-struct.ts";
import { OllamaError } from "../http/ollama-error.ts";
import { createModelCard, type ModelCard } from "../models/model-card.ts";
import { parseModelName } from "../models/model-name.ts";
import type { World } from "../world.ts";
import { modelNotFound } from "./find-model.ts";

type Progress = { status: string; digest?: string; total?: number; completed?: number };

/** Any well-formed name can be pulled; what it can do follows from the name. */
export async function pull({ models }: World, exchange: Exchange, body: unknown): Promise<void> {
  const { name, stream } = parseTarget("PullRequest", body);
  const model = models.find(name) ?? createModelCard(name);
  const layer = {
    status: `pulling ${model.digest.slice(0, 12)}`,
    digest: `sha256:${model.digest}`,
    total: model.sizeBytes,
  };
  const steps = [
    { status: "pulling manifest" },
    layer,
    { ...layer, completed: Math.floor(model.sizeBytes / 2) },
    { ...layer, completed: model.sizeBytes },
    { status: "verifying sha256 digest" },
    { status: "writing manifest" },
  ];
  await replyProgress(exchange, steps, stream);
  // The manifest comes last: until then the model is not there.
  models.add(model);
  finishProgress(exchange, stream);
}

export async function push({ models }: World, exchange: Exchange, body: unknown): Promise<void> {
  const { name, stream } = parseTarget("PushRequest", body);
  const model = models.find(name);
  if (model === undefined) throw modelNotFound(name);
  const layer = {
    status: `pushing ${model.digest.slice(0, 12)}`,
    digest: `sha256:${model.digest}`,
    total: model.sizeBytes,
  };
  await replyProgress(
    exchange,
    [{ status: "retrieving manifest" }, layer, { status: "pushing manifest" }],
    stream,
  );
  finishProgress(exchange, stream);
}

export async function create({ models }: World, exchange: Exchange, body: unknown): Promise<void> {
  const { name, stream, fields } = parseTarget("CreateRequest", body);
  const from = fields.string("from");
  const base = from === "" ? undefined : models.find(from);
  if (from === "" && !isRecord(fields.raw("files")))
    throw new OllamaError(400, "neither 'from' or 'files' was specified");
  if (from !== "" && base === undefined) throw modelNotFound(from);
  await replyProgress(exchange, [{ status: "using existing layer" }, { status: "writing manifest" }], stream);
  models.add(renamed(base ?? createModelCard(name), name));
  finishProgress(exchange, stream);
}

export function copy({ models }: World, exchange: Exchange, body: unknown): void {
  const fields = new GoStruct("CopyRequest", body);
  const [source, destination] = [fields.string("source"), fields.string("destination")];
  const name = parseModelName(destination);
  if (parseModelName(source) === undefined)
    throw new OllamaError(400, `source ${JSON.stringify(source)} is invalid`);
  if (name === undefined) throw new OllamaError(400, `destination ${JSON.stringify(destination)} is invalid`);
  const model = models.find(source);
  if (model === undefined) throw new OllamaError(404, `model ${JSON.stringify(source)} not found`);
  models.add(renamed(model, name));
  replyEmpty(exchange, 200);
}

/** What is loaded stays loaded until nobody uses it. */
export function remove({ models, scheduler }: World, exchange: Exchange, body: unknown): void {
  const fields = new GoStruct("DeleteRequest", body);
  const name = fields.string("model") || fields.string("name");
  if (parseModelName(name) === undefined)
    throw new OllamaError(400, `name ${JSON.stringify(name)} is invalid`);
  const model = models.find(name);
  if (model === undefined) throw modelNotFound(name);
  models.remove(model);
  scheduler.expire(model);
  replyEmpty(exchange, 200);
}

function renamed(model: ModelCard, name: string): ModelCard {
  return { ...model, name, modifiedAt: new Date() };
}

function parseTarget(struct: string, body: unknown) {
  const fields = new GoStruct(struct, body);
  const name = parseModelName(fields.string("model") || fields.string("name"));
  if (name === undefined) throw new OllamaError(400, "invalid model name");
  return { fields, name, stream: fields.boolean("stream") ?? true };
}

async function replyProgress(exchange: Exchange, steps: Progress[], stream: boolean): Promise<void> {
  if (!stream) return;
  exchange.response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const step of steps) await writeDrained(exchange, `${JSON.stringify(step)}\n`);
}

function finishProgress(exchange: Exchange, stream: boolean): void {
  const success = { status: "success" };
  if (stream) exchange.response.end(`${JSON.stringify(success)}\n`);
  else replyJson(exchange, 200, success);
}
