import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, setCookie } from "hono/cookie";
import { clientAddress } from "../access/client-address.ts";
import { type Gate, sessionCookie } from "../access/gate.ts";
import { findForgery, isSafeMethod } from "../access/guard-changes.ts";
import type { LoginLimiter } from "../access/login-limiter.ts";
import { nextPath } from "../access/next-path.ts";
import { equal, type Sessions } from "../access/sessions.ts";
import type { DashboardContext, DashboardEnv, DashboardMiddleware } from "../dashboard-env.ts";
import type { DashboardEvents } from "../events.ts";
import { loginPage } from "./login-page.ts";
import { logoutPage } from "./logout-page.ts";
import { messagePage } from "./message-page.ts";

export type SessionRoutes = {
  basePath: string;
  sessionTtlMs: number;
  gate: Gate;
  sessions: Sessions;
  limiter: LoginLimiter;
  events: DashboardEvents;
};

const formBytesMax = 8_192;

const problems: Readonly<Record<string, string>> = {
  unknown: "This key is not known.",
  disabled: "This key is disabled.",
  expired: "This key has expired.",
  role: "This key has the role client: the board needs operator or admin.",
};

/** `/login` and `/logout`: pages, and the forms on them. */
export function createSessionRoutes(options: SessionRoutes): Hono<DashboardEnv> {
  const { basePath } = options;
  const routes = new Hono<DashboardEnv>({ strict: false });
  for (const path of ["/login", "/logout"]) {
    routes.use(path, bodyLimit({ maxSize: formBytesMax }), refuseForeignForms(options));
  }

  routes.get("/login", async (context) => {
    const next = nextPath(context.req.query("next"), basePath);
    const visit = await options.gate.identify(context);
    if (visit.kind === "known") return context.redirect(next, 302);
    return context.html(loginPage(basePath, next));
  });
  routes.post("/login", (context) => logIn(context, options));
  routes.get("/logout", async (context) => {
    const visit = await options.gate.identify(context);
    if (visit.kind !== "known" || !visit.session) return context.redirect(`${basePath}/login`, 302);
    const token = options.sessions.csrfToken(visit.session.id);
    return context.html(logoutPage(basePath, visit.viewer, token));
  });
  routes.post("/logout", (context) => logOut(context, options));
  return routes;
}

function refuseForeignForms({ basePath, events }: SessionRoutes): DashboardMiddleware {
  return async (context, next) => {
    const why = isSafeMethod(context.req.method) ? undefined : findForgery(context);
    if (why === undefined) return next();
    events.forgeryRefused(context.req.method, context.req.path, why);
    return context.html(messagePage(basePath, "Refused", "This form was not sent by a page of ours."), 403);
  };
}

async function logIn(context: DashboardContext, options: SessionRoutes): Promise<Response> {
  const { basePath, limiter, events } = options;
  const address = addressOf(context);
  const form = await context.req.parseBody();
  const next = nextPath(textOf(form["next"]), basePath);
  const waitS = limiter.retryAfterS(address);
  if (waitS > 0) {
    events.loginRefused("too_many", address);
    context.header("retry-after", String(waitS));
    return context.html(loginPage(basePath, next, `Too many failed attempts: try again in ${waitS} s.`), 429);
  }
  const login = await options.gate.login(textOf(form["key"]).trim());
  if (login.kind === "refused") {
    limiter.recordFailure(address);
    events.loginRefused(login.why, address);
    const status = login.why === "role" ? 403 : 401;
    return context.html(loginPage(basePath, next, problems[login.why] ?? problems["unknown"]), status);
  }
  events.loggedIn(login.viewer, address);
  setCookie(context, sessionCookie, login.cookie, {
    ...cookieOptions(context, basePath),
    httpOnly: true,
    maxAge: Math.floor(options.sessionTtlMs / 1_000),
  });
  return context.redirect(next, 303);
}

async function logOut(context: DashboardContext, options: SessionRoutes): Promise<Response> {
  const { basePath, sessions, gate, events } = options;
  const visit = await gate.identify(context);
  if (visit.kind === "known" && visit.session) {
    const form = await context.req.parseBody();
    if (!equal(textOf(form["csrf"]), sessions.csrfToken(visit.session.id))) {
      return context.html(messagePage(basePath, "Refused", "This form belongs to another session."), 403);
    }
    sessions.end(visit.session);
    events.loggedOut(visit.viewer);
  }
  deleteCookie(context, sessionCookie, cookieOptions(context, basePath));
  return context.redirect(`${basePath}/login`, 303);
}

/** What every cookie of ours has in common. */
export function cookieOptions(context: Context, basePath: string) {
  const proto = context.req.header("x-forwarded-proto")?.split(",")[0]?.trim();
  return { path: basePath || "/", sameSite: "Strict", secure: proto === "https" } as const;
}

function addressOf(context: DashboardContext): string {
  const peer = context.env.incoming.socket.remoteAddress ?? "";
  return clientAddress(peer, context.req.header("x-forwarded-for"));
}

// A form may send a file, or one field twice.
function textOf(field: unknown): string {
  return typeof field === "string" ? field : "";
}
