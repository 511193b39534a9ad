import type { Keyring } from "@forebay/access-keys";
import { Hono } from "hono";
import { authenticate, identify, requireRole } from "./auth/authenticate.ts";
import { answerError } from "./http/answer-error.ts";
import { answerUnrouted } from "./http/answer-unrouted.ts";
import type { ApiEnv } from "./http/api-env.ts";
import { observe } from "./http/observe.ts";
import { createRequestIds } from "./http/request-id.ts";
import { type Interceptor, serveDirectly } from "./http/serve-directly.ts";
import { createAboutRoutes } from "./routes/about/create-about-routes.ts";
import { createJobRoutes, directJobRoutes } from "./routes/jobs/create-job-routes.ts";
import { jobOperations } from "./routes/jobs/job-operations.ts";
import { createAnthropicRoutes } from "./routes/anthropic/create-anthropic-routes.ts";
import { messageOperations } from "./routes/anthropic/message-operations.ts";
import { capacityOperations } from "./routes/operators/capacity/capacity-operations.ts";
import { createCapacityRoutes } from "./routes/operators/capacity/create-capacity-routes.ts";
import { createDlqRoutes } from "./routes/operators/dlq/create-dlq-routes.ts";
import { dlqOperations } from "./routes/operators/dlq/dlq-operations.ts";
import { createOllamaRoutes } from "./routes/ollama/create-ollama-routes.ts";
import { modelChangeOperations } from "./routes/ollama/model-change-operations.ts";
import { ollamaOperations } from "./routes/ollama/ollama-operations.ts";
import { batchOperations } from "./routes/openai/batches/batch-operations.ts";
import { createOpenaiRoutes } from "./routes/openai/create-openai-routes.ts";
import type { FileDeps } from "./routes/openai/files/file-deps.ts";
import { fileOperations } from "./routes/openai/files/file-operations.ts";
import { openaiOperations } from "./routes/openai/openai-operations.ts";
import { responseOperations } from "./routes/openai/responses/response-operations.ts";
import { createPlaygroundRoutes } from "./routes/playground/create-playground-routes.ts";
import { createScheduleRoutes } from "./routes/schedules/create-schedule-routes.ts";
import type { ScheduleDeps } from "./routes/schedules/schedule-deps.ts";
import { scheduleOperations } from "./routes/schedules/schedule-operations.ts";
import { listModels, listModelsOperation } from "./routes/models/list-models.ts";

export type ApiDeps = ScheduleDeps &
  FileDeps & {
    readonly keyring: Keyring;
    /** Whether callers need no key while none exists: only where nobody but this machine can connect. */
    readonly openAllowed: boolean;
  };

/** Every surface of the API, mounted on one app; the busiest routes also without it. */
export function createApp(deps: ApiDeps): { fetch: Hono<ApiEnv>["fetch"]; intercept: Interceptor } {
  const { events, keyring, openAllowed } = deps;
  const app = new Hono<ApiEnv>();
  const requestIds = createRequestIds();
  const authenticated = authenticate(keyring, openAllowed);
  app.use(observe(events, requestIds));
  app.onError(answerError(events));

  app.route(
    "/",
    createAboutRoutes([
      ...jobOperations,
      ...scheduleOperations,
      listModelsOperation,
      ...openaiOperations,
      ...fileOperations,
      ...batchOperations,
      ...responseOperations,
      ...messageOperations,
      ...ollamaOperations,
      ...modelChangeOperations,
      ...dlqOperations,
      ...capacityOperations,
    ]),
  );
  app.route("/", createPlaygroundRoutes());
  app.use("/jobs/*", authenticated);
  app.route("/jobs", createJobRoutes(deps));
  app.use("/schedules/*", authenticated);
  app.route("/schedules", createScheduleRoutes(deps));
  // Before the rest of /v1, whose errors have another shape.
  app.route("/v1", createAnthropicRoutes(deps, authenticated));
  app.route("/v1", createOpenaiRoutes(deps, authenticated));
  app.route("/api", createOllamaRoutes(deps, authenticated));
  app.get("/models", authenticated, listModels(deps));
  app.use("/dlq/*", authenticated, requireRole("operator", "admin"));
  app.route("/dlq", createDlqRoutes(deps));
  app.use("/capacity/*", authenticated, requireRole("operator", "admin"));
  app.route("/capacity", createCapacityRoutes(deps));

  app.notFound(answerUnrouted(app));
  const intercept = serveDirectly(directJobRoutes(deps), {
    identify: ({ headers }) => identify(keyring, openAllowed, headers),
    events,
    requestIds,
  });
  return { fetch: app.fetch, intercept };
}
