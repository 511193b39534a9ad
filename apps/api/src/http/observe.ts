import { matchedRoutes } from "hono/route";
import type { ApiEvents } from "../events.ts";
import type { ApiContext, ApiMiddleware } from "./api-env.ts";
import type { RequestIds } from "./request-id.ts";

/** Names every request, in its answer too, and tells how it ended. The outermost middleware. */
export function observe(events: ApiEvents, requestIds: RequestIds): ApiMiddleware {
  return async (context, next) => {
    const startedAt = performance.now();
    const { incoming, outgoing } = context.env;
    const requestId = requestIds(incoming.headers["x-request-id"]?.toString());
    context.set("requestId", requestId);
    // On Node's own response, so that it is there whatever makes the answer.
    outgoing.setHeader("x-request-id", requestId);
    await next();
    const durationS = (performance.now() - startedAt) / 1_000;
    events.requestServed(describe(context), context.res.status, durationS);
  };
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export function describe(context: ApiContext): { requestId: string; method: string; route: string } {
  const { method } = context.req;
  // Middleware and the answer to unknown addresses match too, and end with a star.
  const route = matchedRoutes(context).findLast(({ path }) => !path.endsWith("*"))?.path;
  return {
    requestId: context.get("requestId"),
    method: methods.has(method) ? method : "other",
    route: route ?? "none",
  };
}
