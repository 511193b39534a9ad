import type { DashboardEvents } from "../events.ts";
import { boardError } from "../board/board-error.ts";
import { type DashboardContext, type DashboardMiddleware, pathOf } from "../dashboard-env.ts";
import { isOwnOrigin } from "./is-own-origin.ts";
import { equal, type Sessions } from "./sessions.ts";

export const isSafeMethod = (method: string): boolean => method === "GET" || method === "HEAD";

/** Why a request that changes something may have been sent by somebody else's page; undefined: it was not. */
export function findForgery(context: DashboardContext): string | undefined {
  const { req } = context;
  const own = isOwnOrigin({
    "sec-fetch-site": req.header("sec-fetch-site"),
    origin: req.header("origin"),
    host: req.header("host"),
  });
  return own ? undefined : "not sent by a page of this site";
}

/**
 * In front of the board's API: nothing but reading unless the board may change things, the viewer is an admin,
 * and the request comes from a page of ours that knows the session's token.
 */
export function guardChanges(
  sessions: Sessions,
  readOnly: boolean,
  events: DashboardEvents,
): DashboardMiddleware {
  return async (context, next) => {
    if (isSafeMethod(context.req.method)) return next();
    const viewer = context.get("viewer");
    const { method } = context.req;
    const path = pathOf(context);
    const why = findForgery(context) ?? findWrongToken(context, sessions.csrfToken(viewer.sessionId));
    if (why !== undefined) {
      events.forgeryRefused(method, path, why);
      return boardError(context, 403, "FORBIDDEN", "forged_request", "Reload the page and try again.");
    }
    if (readOnly) return boardError(context, 405, "QUEUE_READ_ONLY", "read_only");
    if (viewer.role !== "admin") return boardError(context, 403, "FORBIDDEN", "role_required");
    await next();
    events.changed(viewer, method, path, context.res.status);
  };
}

// Bull Board's HTTP client (axios) sends back in this header what it finds in the cookie XSRF-TOKEN.
function findWrongToken(context: DashboardContext, token: string): string | undefined {
  return equal(context.req.header("x-xsrf-token") ?? "", token) ? undefined : "without the session's token";
}
