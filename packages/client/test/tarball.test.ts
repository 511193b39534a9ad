import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import type * as source from "../src/index.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const packageDir = fileURLToPath(new URL("..", import.meta.url));
const pnpm = fileURLToPath(new URL("../../../node_modules/.bin/pnpm", import.meta.url));

describe("the published tarball", () => {
  let folder = "";
  let tarball = "";
  const unpacked = (name: string): string => path.join(folder, "package", name);
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "forebay-client-"));
    // Packing must not turn into installing because somebody is just editing a package.json.
    const asItIs = "--config.verify-deps-before-run=false";
    await run(pnpm, [asItIs, "pack", "--pack-destination", folder], { cwd: packageDir });
    const name = (await readdir(folder)).find((each) => each.endsWith(".tgz"));
    tarball = path.join(folder, name ?? "no tarball");
    await run("tar", ["-xzf", tarball, "-C", folder]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("holds modules with their types and the manual, and nothing else", async () => {
    const { stdout } = await run("tar", ["-tzf", tarball]);
    const files = stdout.trim().split("\n");
    const kinds = /^package\/(dist\/[\w-]+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/;
    expect(files.filter((file) => !kinds.test(file) || file.includes(".test."))).toEqual([]);
    expect(files).toContain("package/README.md");
  });

  test("needs no other package, and imports none", async () => {
    const manifest = JSON.parse(await readFile(unpacked("package.json"), "utf8")) as Record<string, unknown>;
    expect(manifest["dependencies"] ?? {}).toEqual({});
    for (const name of await readdir(unpacked("dist"))) {
      const text = await readFile(unpacked(`dist/${name}`), "utf8");
      const imported = [...text.matchAll(/from "([^"]+)"|import\(?"([^"]+)"/g)].map(
        ([, from, dynamic]) => from ?? dynamic,
      );
      expect(
        imported.filter((from) => !from?.startsWith("./")),
        name,
      ).toEqual([]);
    }
  });

  test("works as a module of plain JavaScript", async () => {
    const { createClient } = (await import(unpacked("dist/index.js"))) as typeof source;
    await expect(createClient({ baseUrl: "http://127.0.0.1:1", retries: 0 }).get("j1")).rejects.toMatchObject(
      {
        code: "connection_failed",
      },
    );
  });

  test("is faultless to publint", async () => {
    const bytes = await readFile(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(bytes).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });
});
