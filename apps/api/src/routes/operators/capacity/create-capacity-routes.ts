import { Hono } from "hono";
import type { ApiEnv } from "../../../http/api-env.ts";
import type { CapacityDeps } from "./capacity-deps.ts";
import { drainBackend } from "./drain-backend.ts";
import { getCapacity } from "./get-capacity.ts";
import { pauseModel } from "./pause-model.ts";

/** What there is to run jobs on, and what operators may take out of use. */
export function createCapacityRoutes(deps: CapacityDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get("/", getCapacity(deps));
  routes.post("/backends/:name/drain", drainBackend(deps, true));
  routes.post("/backends/:name/undrain", drainBackend(deps, false));
  routes.post("/models/pause", pauseModel(deps, true));
  routes.post("/models/resume", pauseModel(deps, false));
  return routes;
}
