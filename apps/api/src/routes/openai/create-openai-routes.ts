import { Hono } from "hono";
import type { ApiEnv, ApiMiddleware } from "../../http/api-env.ts";
import { answerUnrouted } from "../../http/answer-unrouted.ts";
import { answerRefusal } from "./answer-refusal.ts";
import { createBatchRoutes } from "./batches/create-batch-routes.ts";
import { chatCompletions, completions } from "./complete.ts";
import { embeddings } from "./embeddings.ts";
import { createFileRoutes } from "./files/create-file-routes.ts";
import type { FileDeps } from "./files/file-deps.ts";
import { getModel, listModels } from "./models.ts";

/** OpenAI's API at `/v1`: each call a job, each answer as OpenAI's SDKs expect it. */
export function createOpenaiRoutes(deps: FileDeps, authenticated: ApiMiddleware): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.onError(answerRefusal(deps.events));
  routes.use("/*", authenticated);
  routes.post("/chat/completions", chatCompletions(deps));
  routes.post("/completions", completions(deps));
  routes.post("/embeddings", embeddings(deps));
  routes.route("/files", createFileRoutes(deps));
  routes.route("/batches", createBatchRoutes(deps));
  routes.get("/models", listModels(deps));
  routes.get("/models/*", getModel(deps));
  routes.all("/*", answerUnrouted(routes, "/v1"));
  return routes;
}
