import type { Keyring } from "@forebay/access-keys";
import { Hono } from "hono";
import { authenticate } from "./auth/authenticate.ts";
import { answerError } from "./http/answer-error.ts";
import { answerUnrouted } from "./http/answer-unrouted.ts";
import type { ApiEnv } from "./http/api-env.ts";
import { observe } from "./http/observe.ts";
import { createRequestIds } from "./http/request-id.ts";
import { createAboutRoutes } from "./routes/about/create-about-routes.ts";
import { createJobRoutes } from "./routes/jobs/create-job-routes.ts";
import type { JobDeps } from "./routes/jobs/job-deps.ts";
import { jobOperations } from "./routes/jobs/job-operations.ts";
import { listModels, listModelsOperation } from "./routes/models/list-models.ts";

export type ApiDeps = JobDeps & {
  readonly keyring: Keyring;
  /** Whether callers need no key while none exists: only where nobody but this machine can connect. */
  readonly openAllowed: boolean;
};

/** Every surface of the API, mounted on one app. */
export function createApp(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const authenticated = authenticate(deps.keyring, deps.openAllowed);
  app.use(observe(deps.events, createRequestIds()));
  app.onError(answerError(deps.events));

  app.route("/", createAboutRoutes([...jobOperations, listModelsOperation]));
  app.use("/jobs/*", authenticated);
  app.route("/jobs", createJobRoutes(deps));
  app.get("/models", authenticated, listModels(deps.models));
  // Operators' routes are mounted here: app.use("/dlq/*", authenticated, requireRole("operator", "admin"));
  // app.route("/dlq", createDlqRoutes(deps));

  app.notFound(answerUnrouted(app));
  return app;
}
