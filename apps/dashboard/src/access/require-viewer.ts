import type { DashboardContext, DashboardMiddleware } from "../dashboard-env.ts";
import { pathOf } from "../dashboard-env.ts";
import { boardError } from "../board/board-error.ts";
import type { Gate } from "./gate.ts";

/** Lets in who is known; sends others to the login, or answers 401 to the board's own calls. */
export function requireViewer(gate: Gate, basePath: string): DashboardMiddleware {
  return async (context, next) => {
    const visit = await gate.identify(context);
    if (visit.kind === "known") {
      context.set("viewer", visit.viewer);
      return next();
    }
    if (visit.kind === "misnamed") {
      return context.text("While no API key exists, open this page as localhost or 127.0.0.1.", 403);
    }
    return askToLogIn(context, basePath);
  };
}

function askToLogIn(context: DashboardContext, basePath: string): Response {
  const path = pathOf(context);
  if (path.startsWith(`${basePath}/api/`)) return boardError(context, 401, "FORBIDDEN", "login_required");
  const next = path + new URL(context.req.url).search;
  const query = next === `${basePath}/` ? "" : `?${new URLSearchParams({ next })}`;
  return context.redirect(`${basePath}/login${query}`, 302);
}
