import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, type LiveStack, model, submit } from "./live-fixture.ts";

let live: LiveStack;
let url: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"));
  const [api] = await Promise.all([live.startApi({ OLLAMA_DEFAULT_MODEL: model }), live.startWorker()]);
  url = api.url;
  // As with `npm start`, which sends a first job through.
  await submit(url);
});
afterAll(() => live[Symbol.asyncDispose]());

test("the commands of the guide work as they stand, one after the other", async () => {
  const guide = await readFile(new URL("../../../docs/api.md", import.meta.url), "utf8");
  const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
  expect(blocks.length).toBeGreaterThan(8);
  const script = blocks.join("\n").replaceAll("http://127.0.0.1:8080", url);
  const { stdout } = await promisify(execFile)("sh", ["-euc", script], { timeout: 25_000 });
  expect(stdout).not.toContain("urn:forebay:problem");
  expect(stdout.match(/"state":"completed"/g)?.length).toBeGreaterThanOrEqual(4);
  expect(stdout).toContain('"state":"cancelled"');
  expect(stdout).toContain("304\n");
  expect(stdout).toContain("event: completed");
});
