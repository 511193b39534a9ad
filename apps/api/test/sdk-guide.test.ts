import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createLiveStack, ended, get, type LiveStack, submit } from "./live-fixture.ts";

const guide = ["sdks", "responses"]
  .map((page) => readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), "utf8"))
  .join("\n");
const blocks = [...guide.matchAll(/^```(sh|js)\n(.*?)^```$/gms)].map(
  ([, language = "", code = ""], index) => ({
    name: `${index + 1}: ${/from "(.*)"/.exec(code)?.[1] ?? code.split("\n", 1)[0]}`,
    language,
    code,
  }),
);
/** Where the packages are found. */
const cwd = fileURLToPath(new URL("..", import.meta.url));

let live: LiveStack;
let api: string;
beforeAll(async () => {
  live = await createLiveStack(inject("redisUrl"), { numParallel: 2, tokensPerS: 2_000 });
  const [first] = await Promise.all([live.startApi(), live.startWorker({ WORKER_CONCURRENCY: "2" })]);
  api = first.url;
  await ended(api, await submit(api));
});
afterAll(() => live[Symbol.asyncDispose]());

test("the guide has something for every client", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(8);
});

test.each(blocks)("block $name runs as it stands, and makes a job", async ({ language, code }) => {
  const newest = async () => (await get(api, "/jobs?limit=1")).body.jobs[0];
  const before = await newest();
  const here = code.replaceAll("http://127.0.0.1:8080", api);
  const [program, args] =
    language === "sh" ? ["sh", ["-c", here]] : [process.execPath, ["--input-type=module", "-e", here]];
  const { stdout } = await promisify(execFile)(program, args, { cwd, timeout: 50_000 });
  expect(stdout.trim()).not.toBe("");
  const after = await newest();
  expect(after?.job_id).not.toBe(before?.job_id);
  expect(after?.state).toBe("completed");
});
