import { Hono } from "hono";
import type { ApiEnv } from "../../http/api-env.ts";
import { cancelJob } from "./cancel-job.ts";
import { deleteJob } from "./delete-job.ts";
import { followJob } from "./events/follow-job.ts";
import { getJob } from "./get-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { listJobs } from "./list-jobs.ts";
import { retryJob } from "./retry-job.ts";
import { submitJob } from "./submit-job.ts";

export function createJobRoutes(deps: JobDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", submitJob(deps));
  routes.get("/", listJobs(deps));
  routes.get("/:id", getJob(deps));
  routes.get("/:id/events", followJob(deps));
  routes.delete("/:id", deleteJob(deps));
  routes.post("/:id/cancel", cancelJob(deps));
  routes.post("/:id/retry", retryJob(deps));
  return routes;
}
