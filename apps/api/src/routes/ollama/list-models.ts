import { readModelCard, type WorkerLease } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import type { Caller } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import { listAliases } from "../../models/list-aliases.ts";
import type { ModelNames } from "../../models/model-names.ts";
import { resolveModel } from "../../models/resolve-model.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { OllamaRefusal } from "./ollama-refusal.ts";

type LeasedModel = WorkerLease["backends"][number]["models"][number];

/** How long Ollama keeps a model after its last call unless told otherwise; the hosts' own setting is not known. */
const keptMs = 5 * 60_000;

/** `GET /api/tags`: every model that some host has, once. */
export function tags({ models, jobs }: JobDeps): ApiHandler {
  return async (context) => {
    const caller = context.get("caller");
    const all = await readModels(models, undefined);
    const known = new Map(all.map((model) => [canonicalModelName(model.name), model]));
    const found = await readModels(models, caller.models);
    const aliases = listAliases(jobs.names, caller, new Set(known.keys())).flatMap(({ name, model }) => {
      const target = known.get(model);
      return target ? [{ ...describe(target), name, model: name }] : [];
    });
    return jsonResponse(200, { models: [...found.map(describe), ...aliases] });
  };
}

/** `GET /api/ps`: those in the memory of some host. */
export function ps({ models }: JobDeps): ApiHandler {
  return async (context) => {
    const found = await readModels(models, context.get("caller").models);
    const expires_at = new Date(Date.now() + keptMs).toISOString();
    const loaded = found.filter((model) => model.loaded);
    return jsonResponse(200, {
      models: loaded.map((model) => ({ ...describe(model), expires_at, size_vram: model.size ?? 0 })),
    });
  };
}

/** `GET /api/version`: the oldest of the hosts', since a call may reach any of them. */
export function version({ models }: JobDeps): ApiHandler {
  return async () => {
    const { leases } = await models.read();
    const versions = leases.flatMap(({ backends }) => backends.map((backend) => backend.version ?? "0.0.0"));
    const oldest = versions.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))[0];
    return jsonResponse(200, { version: oldest ?? "0.0.0" });
  };
}

/** `POST /api/show`: what its host told a worker about it. */
export function show({ models, space, body, jobs }: JobDeps): ApiHandler {
  return async (context) => {
    const asked = showBodySchema.parse(await readJsonBody(context.env.incoming, { ...body, anyType: true }));
    const name = asked.model || asked.name;
    if (!name) throw new OllamaRefusal(400, "model is required");
    const served = canonicalModelName(servedName(jobs.names, context.get("caller"), name) ?? "");
    const found = await readModels(models, undefined);
    const model = found.find((each) => canonicalModelName(each.name) === served);
    if (!model) throw new OllamaRefusal(404, `model '${name}' not found`);
    const { modified_at, details } = describe(model);
    // Without a card only what it can do is unknown, so nothing is said about that.
    const card = model.digest === undefined ? undefined : await readModelCard(space, model.digest);
    return jsonResponse(200, { details, modified_at, ...card });
  };
}

/** undefined: the caller may not use it, and is told what it is told of a model that is not there. */
function servedName(names: ModelNames, caller: Caller, name: string): string | undefined {
  try {
    return resolveModel(names, caller, name).model;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** As Ollama reads it: `name` is the older word. */
const showBodySchema = z
  .object({ model: z.string().catch(""), name: z.string().catch("") })
  .catch({ model: "", name: "" });

async function readModels(
  models: JobDeps["models"],
  allowed: readonly string[] | undefined,
): Promise<LeasedModel[]> {
  const { leases } = await models.read();
  const byName = new Map<string, LeasedModel>();
  for (const model of leases.flatMap(({ backends }) => backends.flatMap((backend) => backend.models))) {
    const known = byName.get(model.name);
    byName.set(model.name, known ? { ...known, loaded: known.loaded || model.loaded } : model);
  }
  const names = allowed && new Set(allowed.map(canonicalModelName));
  return [...byName.values()].filter(({ name }) => !names || names.has(canonicalModelName(name)));
}

function describe(model: LeasedModel) {
  const { name, size = 0, digest = "", modified_at = new Date(0).toISOString(), details = {} } = model;
  return { name, model: name, modified_at, size, digest, details };
}
