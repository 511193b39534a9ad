import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createLocalRun } from "./local-run.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** The commands of one section of the README. */
function commandsOf(section: string): string {
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const [, text = ""] = new RegExp(`^## ${section}\n([\\s\\S]*?)^## `, "m").exec(readme) ?? [];
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block).join("\n");
}

test("what the README says to try works as it stands against npm start", { timeout: 120_000 }, async () => {
  await using run = await createLocalRun();
  const stack = await run.start();
  const [, redisUrl = ""] = /Redis +(redis:\S+)/.exec(stack.output()) ?? [];
  const commands = commandsOf("Try it");
  expect(commands.match(/curl/g)?.length).toBeGreaterThan(10);

  const apiUrl = `http://127.0.0.1:${run.env.API_PORT}`;
  const script = commands.replaceAll("http://127.0.0.1:8080", apiUrl);
  const { stdout } = await promisify(execFile)("sh", ["-euc", script], {
    cwd: root,
    env: { ...process.env, ...run.env, REDIS_URL: redisUrl, FOREBAY_URL: apiUrl },
    timeout: 90_000,
  });

  expect(stdout).not.toContain("urn:forebay:problem");
  expect(stdout).toContain("event: completed");
  expect(stdout.match(/event: token/g)?.length).toBeGreaterThan(20);
  expect(stdout).toContain('"state":"cancelled"');
  expect(stdout).toContain('"object":"chat.completion"');
  expect(stdout).toContain('"done":true');
  expect(stdout.match(/^idempotency-replayed: true/gm)).toHaveLength(1);
  expect(stdout).toContain('"next_runs":');
  expect(stdout).toMatch(/"action":"redrive".*"changed":1/);
  expect(stdout).toMatch(/^key_\S+ +me +acme/m);
});
