import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { failureCodes } from "@forebay/queue-contracts";
import { Hono } from "hono";
import type { ApiEnv } from "../../http/api-env.ts";
import { matchesEtag } from "../../http/etag.ts";
import { readBrowserModules } from "./browser-modules.ts";

const here = new URL("./page/", import.meta.url);
const clientFolder = new URL("./", import.meta.resolve("@forebay/client"));

// Everything the page needs comes from this server, and no text of a job can become a script or a style.
const securityHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const types = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};

/** A page to try the API with: made once, needs no key itself. */
export function createPlaygroundRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const serve = (path: string, type: keyof typeof types, content: string): void => {
    const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
    const headers = { ...securityHeaders, "content-type": types[type], "cache-control": "no-cache", etag };
    routes.get(`/playground${path}`, (context) => {
      const known = matchesEtag(context.env.incoming.headers["if-none-match"], etag);
      return new Response(known ? null : content, { status: known ? 304 : 200, headers });
    });
  };
  const file = (name: string): string => readFileSync(new URL(name, here), "utf8");

  serve("", "html", file("playground.html"));
  // The page names its files relative to itself, so that it works below a proxy's path as well.
  routes.get("/playground/", (context) => context.redirect("../playground", 308));
  serve("/playground.css", "css", file("playground.css"));
  serve("/icon.svg", "svg", file("icon.svg"));
  serve("/failures.json", "json", JSON.stringify(adviceByCode()));
  const ours = readBrowserModules(here, { "@forebay/client": "./client/index.js" });
  for (const [name, code] of ours) serve(`/${name}`, "js", code);
  for (const [name, code] of readBrowserModules(clientFolder)) serve(`/client/${name}`, "js", code);
  return routes;
}

function adviceByCode(): Record<string, string> {
  return Object.fromEntries(Object.entries(failureCodes).map(([code, { action }]) => [code, action]));
}
