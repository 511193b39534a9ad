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
import { cancelResponse } from "./responses/cancel-response.ts";
import { createResponse } from "./responses/create-response.ts";
import { deleteResponse } from "./responses/delete-response.ts";
import { getResponse } from "./responses/get-response.ts";
import { listInputItems } from "./responses/list-input-items.ts";

/** OpenAI's API at `/v1`: each call a job, each answer as OpenAI's SDKs expect it. */
export function createOpenaiRoutes(deps: FileDeps, authenticated: ApiMiddleware): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.onError(answerRefusal(deps.events));
  routes.use("/*", authenticated);
  routes.post("/chat/completions", chatCompletions(deps));
  routes.post("/completions", completions(deps));
  routes.post("/embeddings", embeddings(deps));
  routes.post("/responses", createResponse(deps));
  routes.get("/responses/:id", getResponse(deps));
  routes.delete("/responses/:id", deleteResponse(deps));
  routes.post("/responses/:id/cancel", cancelResponse(deps));
  routes.get("/responses/:id/input_items", listInputItems(deps));
  routes.route("/files", createFileRoutes(deps));
  routes.route("/batches", createBatchRoutes(deps));
  routes.get("/models", listModels(deps));
  routes.get("/models/*", getModel(deps));
  routes.all("/*", answerUnrouted(routes, "/v1"));
  return routes;
}
