import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createJsonSchemas, formatJsonSchema } from "../publish/json-schemas.ts";
import { packTarball } from "../publish/pack-tarball.ts";

const run = promisify(execFile);
const source = new URL("..", import.meta.url);
const readSource = (name: string): Promise<string> => readFile(new URL(name, source), "utf8");

// First, since packing builds, and building writes schemas/.
test.each([...createJsonSchemas()])("schemas/%s.json is what the zod schema says", async (name, schema) => {
  expect(await readSource(`schemas/${name}.json`), "run `pnpm run build`").toBe(formatJsonSchema(schema));
});

describe("the published tarball", () => {
  let folder = "";
  let tarball = "";
  let files: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "forebay-contracts-"));
    tarball = await packTarball(folder);
    const { stdout } = await run("tar", ["-tzf", tarball]);
    files = stdout.trim().split("\n").toSorted();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("holds modules with their types, JSON Schemas and the manual, and nothing else", () => {
    const kinds =
      /^package\/(dist\/[\w-]+\.(js|d\.ts)|schemas\/[\w-]+\.json|package\.json|README\.md|LICENSE)$/;
    expect(files.filter((file) => !kinds.test(file))).toEqual([]);
    expect(files).toContain("package/README.md");
    expect(files.filter((file) => file.includes(".test."))).toEqual([]);
    const schemas = files.filter((file) => file.startsWith("package/schemas/"));
    expect(schemas).toEqual(
      [...createJsonSchemas().keys()].map((n) => `package/schemas/${n}.json`).toSorted(),
    );
  });

  test("names files of the tarball as its entry points, and asks for zod alone", async () => {
    const { stdout } = await run("tar", ["-xzOf", tarball, "package/package.json"]);
    const manifest = JSON.parse(stdout) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      name: "@forebay/queue-contracts",
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
      dependencies: { zod: expect.stringMatching(/^\^4\./) },
    });
    expect(Object.keys(manifest["dependencies"] ?? {})).toEqual(["zod"]);
    expect(manifest["private"]).toBeUndefined();
    for (const file of ["package/dist/index.d.ts", "package/dist/index.js"]) expect(files).toContain(file);
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
