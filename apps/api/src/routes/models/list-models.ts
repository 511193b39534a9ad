import type { ModelAnnouncement } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { refuseQuery } from "../../http/query.ts";
import { listAliases } from "../../models/list-aliases.ts";
import type { Operation } from "../../openapi/operation.ts";
import type { JobDeps } from "../jobs/job-deps.ts";

const modelListSchema = z.object({
  models: z.array(
    z
      .object({
        name: z.string(),
        alias_of: z.string().optional().describe("The model this is another name for."),
        backends: z
          .array(
            z.object({
              name: z.string(),
              up: z.boolean(),
              loaded: z.boolean().describe("Whether the model is in the backend's memory now."),
              slots: z.int().describe("Jobs of this model that all workers together run on it at once."),
            }),
          )
          .describe("Empty: it was served lately, and no worker is alive; jobs wait for one."),
      })
      .meta({ id: "Model" }),
  ),
});
type ModelView = z.infer<typeof modelListSchema>["models"][number];

/** `GET /models` */
export function listModels({ models, jobs }: Pick<JobDeps, "models" | "jobs">): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const allowed = caller.models?.map(canonicalModelName);
    const announced = await models.read();
    const known = modelViews(announced);
    const aliases = listAliases(jobs.names, caller, announced.models).map(({ name, model }) => ({
      name,
      alias_of: model,
      backends: known.find((each) => each.name === model)?.backends ?? [],
    }));
    const shown = allowed ? known.filter(({ name }) => allowed.includes(name)) : known;
    return jsonResponse(200, { models: [...shown, ...aliases] } satisfies z.infer<typeof modelListSchema>);
  };
}

/** Every known model by name; a host that several workers feed stands there once, and so do its slots. */
export function modelViews({ leases, models }: ModelAnnouncement): ModelView[] {
  const names = [...models].toSorted();
  const views = new Map(names.map((name): [string, ModelView] => [name, { name, backends: [] }]));
  for (const backend of leases.flatMap((lease) => lease.backends)) {
    for (const model of backend.models) {
      const backends = views.get(canonicalModelName(model.name))?.backends ?? [];
      const known = backends.find(({ name }) => name === backend.name);
      if (!known) {
        const { name, up, slots } = backend;
        backends.push({ name, up, loaded: model.loaded, slots });
        continue;
      }
      known.slots = Math.max(known.slots, backend.slots);
      known.up ||= backend.up;
      known.loaded ||= model.loaded;
    }
  }
  return [...views.values()];
}

export const listModelsOperation: Operation = {
  method: "get",
  path: "/models",
  id: "listModels",
  tag: "models",
  summary: "List the models jobs can name",
  description: "As announced by the workers, for what the key may use.",
  answers: { 200: { description: "Every known model.", schema: modelListSchema } },
  problems: ["invalid_query"],
  curl: "curl -s http://127.0.0.1:8080/models",
};
