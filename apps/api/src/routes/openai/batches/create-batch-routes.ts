import { Hono } from "hono";
import type { ApiEnv } from "../../../http/api-env.ts";
import type { FileDeps } from "../files/file-deps.ts";
import { cancelBatch, retryBatch } from "./change-batch.ts";
import { createBatch } from "./create-batch.ts";
import { getBatch, listBatches } from "./read-batches.ts";

/** `/v1/batches` */
export function createBatchRoutes(deps: FileDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", createBatch(deps));
  routes.get("/", listBatches(deps));
  routes.get("/:id", getBatch(deps));
  routes.post("/:id/cancel", cancelBatch(deps));
  routes.post("/:id/retry", retryBatch(deps));
  return routes;
}
