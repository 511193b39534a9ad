import type { WorkerLease } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import type { JobDeps } from "../jobs/job-deps.ts";

type LeasedModel = WorkerLease["backends"][number]["models"][number];

/** How long Ollama keeps a model after its last call unless told otherwise; the hosts' own setting is not known. */
const keptMs = 5 * 60_000;

/** `GET /api/tags`: every model that some host has, once. */
export function tags({ models }: JobDeps): ApiHandler {
  return async (context) => {
    const found = await readModels(models, context.get("caller").models);
    return jsonResponse(200, { models: found.map(describe) });
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

function describe(model: LeasedModel): object {
  const { name, size = 0, digest = "", modified_at = new Date(0).toISOString(), details = {} } = model;
  return { name, model: name, modified_at, size, digest, details };
}
