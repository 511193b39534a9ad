import type { DashboardContext } from "../dashboard-env.ts";

/** An error as Bull Board's pages expect it: they translate the key. */
export function boardError(
  context: DashboardContext,
  status: 401 | 403 | 405 | 500 | 503,
  key: "FORBIDDEN" | "QUEUE_READ_ONLY" | "INTERNAL_SERVER_ERROR",
  code: string,
  message?: string,
): Response {
  return context.json({ error: { key: `ERRORS.${key}` }, code, message }, status);
}
