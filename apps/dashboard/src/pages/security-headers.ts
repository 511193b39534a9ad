import type { DashboardMiddleware } from "../dashboard-env.ts";

// Nothing is loaded from elsewhere, and no text of a job can become a script. Styles may stand in the page,
// because Bull Board's JSON editor and scroll bars write theirs there; they can neither run nor load anything.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** On every answer. Only files whose names change with their content may be kept by the browser. */
export function securityHeaders(basePath: string): DashboardMiddleware {
  const hashedFile = new RegExp(`^${basePath}/static/(js|css)/`);
  return async (context, next) => {
    await next();
    const { headers } = context.res;
    headers.set("content-security-policy", contentSecurityPolicy);
    headers.set("x-content-type-options", "nosniff");
    headers.set("x-frame-options", "DENY");
    // With no-referrer, browsers send `Origin: null` with forms: then ours could not be told from others'.
    headers.set("referrer-policy", "same-origin");
    const keep = context.res.ok && hashedFile.test(context.req.path);
    headers.set("cache-control", keep ? "private, max-age=31536000, immutable" : "no-store");
  };
}
