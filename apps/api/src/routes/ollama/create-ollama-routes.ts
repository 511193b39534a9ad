import { Hono } from "hono";
import type { ApiEnv, ApiMiddleware } from "../../http/api-env.ts";
import { answerUnrouted } from "../../http/answer-unrouted.ts";
import { answerRefusal } from "./answer-refusal.ts";
import { changeModels } from "./change-models.ts";
import { embed, embeddings } from "./embed.ts";
import { generate } from "./generate.ts";
import { ps, show, tags, version } from "./list-models.ts";
import { OllamaRefusal } from "./ollama-refusal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";

/** Ollama's own API at `/api`: each call a job, each answer as Ollama gives it. */
export function createOllamaRoutes(deps: JobDeps, authenticated: ApiMiddleware): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.onError(answerRefusal(deps.events));
  routes.use("/*", authenticated);
  routes.post("/generate", generate(deps, "generate"));
  routes.post("/chat", generate(deps, "chat"));
  routes.post("/embed", embed(deps));
  routes.post("/embeddings", embeddings(deps));
  routes.get("/tags", tags(deps));
  routes.get("/ps", ps(deps));
  routes.get("/version", version(deps));
  routes.post("/show", show(deps));
  for (const call of ["pull", "push", "create", "copy"] as const) {
    routes.post(`/${call}`, changeModels(deps, call));
  }
  routes.delete("/delete", changeModels(deps, "delete"));
  routes.all("/blobs/:digest", () => {
    throw new OllamaRefusal(403, "blobs are not available here: send files to a host itself");
  });
  routes.all("/*", answerUnrouted(routes, "/api"));
  return routes;
}
