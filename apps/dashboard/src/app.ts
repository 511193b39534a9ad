import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import type { Gate } from "./access/gate.ts";
import { guardChanges } from "./access/guard-changes.ts";
import { createLoginLimiter } from "./access/login-limiter.ts";
import { requireViewer } from "./access/require-viewer.ts";
import type { Sessions } from "./access/sessions.ts";
import { boardError } from "./board/board-error.ts";
import type { Board } from "./board/create-board.ts";
import { servePage } from "./board/serve-page.ts";
import { type DashboardContext, type DashboardEnv, pathOf } from "./dashboard-env.ts";
import type { DashboardEvents } from "./events.ts";
import { createAssets } from "./pages/assets.ts";
import { messagePage } from "./pages/message-page.ts";
import { securityHeaders } from "./pages/security-headers.ts";
import { createSessionRoutes } from "./pages/session-routes.ts";
import { redactAnswers } from "./redaction/redact-answers.ts";

export type DashboardDeps = {
  basePath: string;
  readOnly: boolean;
  sessionTtlMs: number;
  gate: Gate;
  sessions: Sessions;
  board: Board;
  events: DashboardEvents;
};

const changeBytesMax = 9 * 1024 * 1024;

/** The board behind its login, whole under `basePath`. */
export function createApp(deps: DashboardDeps): Hono<DashboardEnv> {
  const { basePath, readOnly, sessions, gate, events, board } = deps;
  // Not strict: Bull Board knows its own start page only without the slash that its links end with.
  const app = new Hono<DashboardEnv>({ strict: false });
  app.onError((error, context) => fail(error, context, deps));
  app.notFound((context) => context.html(messagePage(basePath, "Not found", "There is no such page."), 404));
  app.use(securityHeaders(basePath));
  if (basePath !== "") {
    app.get("/", (context) => context.redirect(`${basePath}/`, 302));
    app.get(basePath, async (context, next) => {
      if (pathOf(context) === basePath) return context.redirect(`${basePath}/`, 308);
      return next();
    });
  }

  app.route(`${basePath}/assets`, createAssets());
  const limiter = createLoginLimiter();
  app.route(basePath || "/", createSessionRoutes({ ...deps, limiter }));
  app.use(`${basePath}/*`, requireViewer(gate, basePath));
  app.use(`${basePath}/api/*`, bodyLimit({ maxSize: changeBytesMax }));
  app.use(`${basePath}/api/*`, guardChanges(sessions, readOnly, events), redactAnswers(basePath, events));
  app.use(`${basePath}/*`, servePage(basePath, readOnly, sessions));
  app.route(basePath || "/", board.routes);
  return app;
}

function fail(
  error: Error,
  context: DashboardContext,
  { basePath, events }: DashboardDeps,
): Response | Promise<Response> {
  if (error instanceof HTTPException) return error.getResponse();
  events.requestFailed(pathOf(context), error);
  if (pathOf(context).startsWith(`${basePath}/api/`)) {
    return boardError(context, 503, "INTERNAL_SERVER_ERROR", "unavailable");
  }
  const text =
    "Redis does not answer, or something else went wrong; the log says what. Try again in a moment.";
  return context.html(messagePage(basePath, "Not now", text), 503);
}
