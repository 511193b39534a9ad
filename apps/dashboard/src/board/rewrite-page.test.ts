import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { rewritePage } from "./rewrite-page.ts";

const packageJson = createRequire(import.meta.url).resolve("@bull-board/ui/package.json");
const original = readFileSync(new URL("./dist/index.ejs", `file://${packageJson}`), "utf8")
  .replace("<%- uiConfig %>", '{"boardTitle":"Forebay","miscLinks":[]}')
  .replace("<%= basePath %>", "/dashboard/");

it("the page of the installed Bull Board loads nothing from elsewhere once rewritten", () => {
  expect(original).toMatch(/(src|href)="https?:/);
  const page = rewritePage(original, "/dashboard", {});
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(page).not.toMatch(/<style|style="/);
  expect(page.match(/<script\b/g)).toHaveLength((original.match(/<script\b/g)?.length ?? 0) + 1);
  expect(page).toContain('href="/dashboard/assets/board.css"');
  expect(page).toContain('<div id="root">');
});

it("what the page is told is laid over what it knew, and cannot end its element", () => {
  const page = rewritePage(original, "", {
    environment: { label: "</script><script>alert(1)</script> $& $1" },
  });
  const json = /<script id="__UI_CONFIG__"[^>]*>(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  expect(JSON.parse(json)).toEqual({
    boardTitle: "Forebay",
    miscLinks: [],
    environment: { label: "</script><script>alert(1)</script> $& $1" },
  });
});
