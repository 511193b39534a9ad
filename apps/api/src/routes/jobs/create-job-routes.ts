import { Hono } from "hono";
import type { ApiEnv } from "../../http/api-env.ts";
import { getJob } from "./get-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { submitJob } from "./submit-job.ts";

export function createJobRoutes(deps: JobDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", submitJob(deps));
  routes.get("/:id", getJob(deps));
  return routes;
}
