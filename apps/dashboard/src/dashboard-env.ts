import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import type { Viewer } from "./access/viewer.ts";

export type DashboardEnv = {
  Bindings: HttpBindings;
  Variables: {
    /** Set behind `requireViewer`. */
    viewer: Viewer;
  };
};
export type DashboardContext = Context<DashboardEnv>;
export type DashboardMiddleware = MiddlewareHandler<DashboardEnv>;

/** The path as it was asked for, with the slash at its end that routing leaves out. */
export function pathOf(context: DashboardContext): string {
  return new URL(context.req.url).pathname;
}
