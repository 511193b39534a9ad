import { Hono } from "hono";
import type { ApiEnv } from "../../http/api-env.ts";
import { asHandler } from "../../http/endpoint.ts";
import type { DirectRoute } from "../../http/serve-directly.ts";
import { cancelJob } from "./cancel-job.ts";
import { cancelJobs } from "./cancel-jobs.ts";
import { deleteJob } from "./delete-job.ts";
import { followJob } from "./events/follow-job.ts";
import { getJob } from "./get-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { listJobs } from "./list-jobs.ts";
import { retryJob } from "./retry-job.ts";
import { submitJob } from "./submit-job.ts";

export function createJobRoutes(deps: JobDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", asHandler(submitJob(deps)));
  routes.get("/", listJobs(deps));
  routes.get("/:id", asHandler(getJob(deps)));
  routes.get("/:id/events", followJob(deps));
  routes.delete("/:id", deleteJob(deps));
  routes.post("/cancel", cancelJobs(deps));
  routes.post("/:id/cancel", cancelJob(deps));
  routes.post("/:id/retry", retryJob(deps));
  return routes;
}

/** Those that are called most: to put a job and, again and again, to see where it is. */
export function directJobRoutes(deps: JobDeps): DirectRoute[] {
  return [
    { method: "POST", route: "/jobs", endpoint: submitJob(deps) },
    { method: "GET", route: "/jobs/:id", endpoint: getJob(deps) },
  ];
}
