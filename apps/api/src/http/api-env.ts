import type { HttpBindings } from "@hono/node-server";
import type { Context, Handler, MiddlewareHandler } from "hono";
import type { Caller } from "../auth/caller.ts";

/** What every handler finds in its context. */
export type ApiEnv = {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** Set on every route that needs a key. */
    caller: Caller;
    /** The model a call of a foreign surface names, once that is known. */
    model: string | undefined;
  };
};
export type ApiContext = Context<ApiEnv>;
export type ApiHandler = Handler<ApiEnv>;
export type ApiMiddleware = MiddlewareHandler<ApiEnv>;
