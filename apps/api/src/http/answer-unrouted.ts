import type { Hono } from "hono";
import type { ApiContext, ApiEnv } from "./api-env.ts";
import { Problem } from "./problem.ts";

/**
 * For what no route took: 204 with Allow for OPTIONS, 405 with Allow where another method would be taken,
 * else 404. Call it when all routes are mounted.
 *
 * @param base where the app is mounted itself
 */
export function answerUnrouted(app: Hono<ApiEnv>, base = ""): (context: ApiContext) => Response {
  const methodsOf = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const methods = methodsOf.get(path) ?? new Set(["OPTIONS"]);
    methods.add(method);
    if (method === "GET") methods.add("HEAD");
    methodsOf.set(path, methods);
  }
  const routes = [...methodsOf].map(([path, methods]) => ({
    pattern: new RegExp(`^${base}${path.replace(/:[^/]+/g, "[^/]+").replace("*", ".+")}$`),
    allow: [...methods].toSorted().join(", "),
  }));

  return (context) => {
    const { method, path } = context.req;
    const allow = routes.find(({ pattern }) => pattern.test(path))?.allow;
    if (allow === undefined) throw new Problem("not_found", "There is nothing at this address; see /docs.");
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw new Problem("method_not_allowed", `This address takes ${allow}.`, { headers: { allow } });
  };
}
