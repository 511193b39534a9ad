import { OpenaiRefusal } from "@forebay/openai-format";
import { canonicalModelName } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { modelViews } from "../models/list-models.ts";

/** `GET /v1/models` */
export function listModels({ models }: JobDeps): ApiHandler {
  return async (context) => {
    const names = await readNames(models, context.get("caller").models);
    return jsonResponse(200, { object: "list", data: names.map(describe) });
  };
}

/** `GET /v1/models/{id}`; ids may hold slashes. */
export function getModel({ models }: JobDeps): ApiHandler {
  return async (context) => {
    const id = decodeURIComponent(new URL(context.req.url).pathname.replace(/^\/v1\/models\//, ""));
    const names = await readNames(models, context.get("caller").models);
    if (!names.includes(canonicalModelName(id))) {
      throw new OpenaiRefusal(404, `The model ${id} does not exist.`, {
        code: "model_not_found",
        param: "model",
      });
    }
    return jsonResponse(200, describe(id));
  };
}

async function readNames(
  models: JobDeps["models"],
  allowed: readonly string[] | undefined,
): Promise<string[]> {
  const names = modelViews(await models.read()).map(({ name }) => name);
  const may = allowed && new Set(allowed.map(canonicalModelName));
  return names.filter((name) => !may || may.has(name));
}

function describe(id: string): object {
  const owner = id.includes("/") ? id.slice(0, id.lastIndexOf("/")) : "library";
  return { id, object: "model", created: 0, owned_by: owner };
}
