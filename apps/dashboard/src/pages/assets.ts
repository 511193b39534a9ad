import { readFileSync } from "node:fs";
import { Hono } from "hono";
import type { DashboardEnv } from "../dashboard-env.ts";

const files = {
  "page.css": "text/css; charset=utf-8",
  "board.css": "text/css; charset=utf-8",
  "board.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** Our own style, script and icon, also for those who are not logged in yet. */
export function createAssets(): Hono<DashboardEnv> {
  const routes = new Hono<DashboardEnv>();
  for (const [name, type] of Object.entries(files)) {
    const content = readFileSync(new URL(`../../assets/${name}`, import.meta.url), "utf8");
    routes.get(`/${name}`, (context) => context.body(content, 200, { "content-type": type }));
  }
  return routes;
}
