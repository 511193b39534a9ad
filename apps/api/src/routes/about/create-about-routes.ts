import { readFileSync } from "node:fs";
import { Hono } from "hono";
import packageJson from "../../../package.json" with { type: "json" };
import type { ApiEnv } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { createDocument } from "../../openapi/create-document.ts";
import { createDocsPage } from "../../openapi/docs-page.ts";
import type { Operation } from "../../openapi/operation.ts";

const { version } = packageJson;
const title = "Forebay API";
const description =
  "A durable queue in front of Ollama: `POST /jobs` puts a prompt on it, `GET /jobs/{id}` tells where it is and what came out. Send an API key as `Authorization: Bearer fbk_…` (`X-API-Key` and `X-Ollama-Key` are understood too); a server on a loopback address needs none while no key exists. The page `/playground` is for trying it in a browser.";

// The page needs its style sheet and nothing else.
const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** What the server says about itself: made once, needs no key. */
export function createAboutRoutes(operations: readonly Operation[]): Hono<ApiEnv> {
  const document = createDocument({ title, version, description }, operations);
  const page = createDocsPage(document, operations);
  const css = readFileSync(new URL("../../openapi/docs.css", import.meta.url), "utf8");
  const routes = new Hono<ApiEnv>();
  routes.get("/", () =>
    jsonResponse(200, {
      service: "forebay",
      version,
      docs: "/docs",
      openapi: "/openapi.json",
      playground: "/playground",
    }),
  );
  routes.get("/openapi.json", () => jsonResponse(200, document, { "cache-control": "no-cache" }));
  routes.get("/docs", () => {
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8", ...pageHeaders } });
  });
  routes.get("/docs/style.css", () => {
    return new Response(css, { headers: { "content-type": "text/css; charset=utf-8", ...pageHeaders } });
  });
  return routes;
}
