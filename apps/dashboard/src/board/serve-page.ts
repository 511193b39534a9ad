import { setCookie } from "hono/cookie";
import type { Sessions } from "../access/sessions.ts";
import type { DashboardMiddleware } from "../dashboard-env.ts";
import { cookieOptions } from "../pages/session-routes.ts";
import { pageConfig } from "./page-config.ts";
import { rewritePage } from "./rewrite-page.ts";

/** Around Bull Board's pages: makes them ours, and gives them the token their changes are to carry. */
export function servePage(basePath: string, readOnly: boolean, sessions: Sessions): DashboardMiddleware {
  return async (context, next) => {
    await next();
    if (!context.res.headers.get("content-type")?.startsWith("text/html") || !context.res.ok) return;
    const viewer = context.get("viewer");
    const html = rewritePage(await context.res.text(), basePath, pageConfig(viewer, basePath, readOnly));
    context.res = new Response(html, context.res);
    // Read by Bull Board's HTTP client (axios), so not HttpOnly: it proves nothing but to have seen this page.
    const options = cookieOptions(context, basePath);
    setCookie(context, "XSRF-TOKEN", sessions.csrfToken(viewer.sessionId), options);
  };
}
