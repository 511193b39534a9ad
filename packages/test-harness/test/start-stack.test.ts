import { existsSync } from "node:fs";
import { expect, inject, test } from "vitest";
import { isAlive, startStack } from "../src/index.ts";

test("the services asked for run as processes of their own, on the given Redis, and stop with the stack", async () => {
  const stack = await startStack({
    redisUrl: inject("redisUrl"),
    prefix: "harness-stack",
    services: ["worker"],
  });
  const second = await stack.startAnother("worker");
  const pids = [stack.service("worker").pid, second.pid];
  expect(new Set(pids).size).toBe(2);
  for (const { opsUrl } of [stack.service("worker"), second])
    expect((await fetch(`${opsUrl}/readyz`)).status).toBe(200);
  expect(() => stack.service("api")).toThrow("without api");
  await stack.stop();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(stack.dataDir)).toBe(false);
});

test("a service that cannot start is reported with its output, and what had started is stopped", async () => {
  const start = startStack({
    redisUrl: inject("redisUrl"),
    ollamaUrls: "http://127.0.0.1:1",
    prefix: "harness-stack",
    services: ["worker"],
    env: { WORKER_CONCURRENCY: "many" },
  });
  await expect(start).rejects.toThrow(/worker\/src\/main\.ts[^]*WORKER_CONCURRENCY/);
});
