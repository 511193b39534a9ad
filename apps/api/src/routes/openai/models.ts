import { OpenaiRefusal } from "@forebay/openai-format";
import { canonicalModelName } from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { listAliases } from "../../models/list-aliases.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { modelViews } from "../models/list-models.ts";

/** `GET /v1/models` */
export function listModels(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { names, aliases } = await readNames(deps, context.get("caller"));
    const others = aliases.map(({ name, model }) => ({ ...describe(name), alias_of: model }));
    return jsonResponse(200, { object: "list", data: [...names.map(describe), ...others] });
  };
}

/** `GET /v1/models/{id}`; ids may hold slashes. */
export function getModel(deps: JobDeps): ApiHandler {
  return async (context) => {
    const id = decodeURIComponent(new URL(context.req.url).pathname.replace(/^\/v1\/models\//, ""));
    const { names, aliases } = await readNames(deps, context.get("caller"));
    const wanted = canonicalModelName(id);
    const alias = aliases.find(({ name }) => canonicalModelName(name) === wanted);
    if (alias) return jsonResponse(200, { ...describe(id), alias_of: alias.model });
    if (!names.includes(wanted)) {
      throw new OpenaiRefusal(404, `The model ${id} does not exist.`, {
        code: "model_not_found",
        param: "model",
      });
    }
    return jsonResponse(200, describe(id));
  };
}

async function readNames({ models, jobs }: JobDeps, caller: Caller) {
  const announced = await models.read();
  const names = modelViews(announced).map(({ name }) => name);
  const may = caller.models && new Set(caller.models.map(canonicalModelName));
  return {
    names: names.filter((name) => !may || may.has(name)),
    aliases: listAliases(jobs.names, caller, announced.models),
  };
}

function describe(id: string): object {
  const owner = id.includes("/") ? id.slice(0, id.lastIndexOf("/")) : "library";
  return { id, object: "model", created: 0, owned_by: owner };
}
