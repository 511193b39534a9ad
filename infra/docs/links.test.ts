import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const notOurs = new Set(["node_modules", "dist", ".forebay", ".git"]);

/** Every document, by its path from the root. */
const documents = new Map(
  globSync("**/*.md", { cwd: root, exclude: (name) => notOurs.has(path.basename(name)) })
    .toSorted()
    .map((file) => [file, readFileSync(path.join(root, file), "utf8")]),
);

const fence = /^ *```[\s\S]*?^ *```/gm;
const linkPattern = /\[(?:[^\]]|\]\()*?\]\(([^)\s]+)\)/g;
/** Code such as `apps/api/src/app.ts`, not patterns such as `apps/*` or `…/src`. */
const pathPattern = /`((?:apps|bench|docs|infra|packages)\/[\w./-]+)`/g;

/** The anchor GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

function anchorsOf(text: string): Set<string> {
  const headings = text.replace(fence, "").matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, heading = ""]) => anchorOf(heading)));
}

function captures(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, capture = ""]) => capture);
}

function leadsSomewhere(file: string, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const wanted = target === "" ? file : path.join(path.dirname(file), target);
  if (!existsSync(path.join(root, wanted))) return false;
  const text = documents.get(wanted);
  return anchor === undefined || text === undefined || anchorsOf(text).has(anchor);
}

test.each([...documents.keys()])("every link and path in %s leads somewhere", (file) => {
  const prose = (documents.get(file) ?? "").replace(fence, "");
  const links = captures(prose, linkPattern).filter((link) => !/^[a-z]+:/.test(link));
  const paths = captures(prose, pathPattern);
  expect(links.filter((link) => !leadsSomewhere(file, link))).toEqual([]);
  expect(paths.filter((each) => !existsSync(path.join(root, each)))).toEqual([]);
});

test("every script a document names is there", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = captures([...documents.values()].join("\n"), /\bnpm run (?:-s |--silent )?([\w:-]+)/g);
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

test.each([
  ["docs/README.md", "docs/*.md"],
  ["docs/adr/README.md", "docs/adr/*.md"],
])("%s lists every page beside it", (index, pages) => {
  const links = captures(documents.get(index) ?? "", linkPattern);
  const beside = globSync(pages, { cwd: root }).filter((page) => page !== index);
  expect(beside.map((page) => path.basename(page)).filter((page) => !links.includes(page))).toEqual([]);
});
