import { createServer } from "node:http";
import path from "node:path";
import { expect, test } from "vitest";
import { freePort, isPortFree, startProcess, waitFor } from "../src/index.ts";

const file = path.join(import.meta.dirname, "fixtures/program.ts");

test("a process that dies while starting is reported with its output", async () => {
  const start = startProcess({ file, args: ["dies"], ready: /never/ });
  await expect(start).rejects.toThrow("ended before it was ready");
  await expect(start).rejects.toThrow("the disk is full");
});

test("a process that is not ready in time is killed and reported", async () => {
  const start = startProcess({ file, ready: /never/, readyTimeoutMs: 500 });
  await expect(start).rejects.toThrow(/Not within 500 ms.*program\.ts is ready/);
});

test("it gets the given environment and nothing of the tests' own", async () => {
  await using program = await startProcess({ file, env: { GREETING: "world" }, ready: /hello/ });
  expect(program.output()).toBe("hello world clean\n");
});

test("its exit is told with code and signal", async () => {
  const program = await startProcess({ file, ready: /hello/ });
  await program.kill("SIGKILL");
  expect(await program.exited).toEqual({ code: null, signal: "SIGKILL" });
  expect(program.running()).toBe(false);
});

test("stopping ends a process that ignores SIGTERM", async () => {
  const program = await startProcess({ file, args: ["stubborn"], ready: /hello/ });
  await program.stop(300);
  expect(program.output()).toContain("no\n");
  expect((await program.exited).signal).toBe("SIGKILL");
});

test("ready may be a URL that answers 200", async () => {
  const statuses = [503, 503, 200];
  const server = createServer((_request, response) => response.writeHead(statuses.shift() ?? 500).end());
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await using program = await startProcess({ file, ready: `http://127.0.0.1:${port}/readyz` });
  expect(program.running()).toBe(true);
  expect(statuses).toEqual([]);
  server.close();
});

test("a port in use is not free, and a free one is given once", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(20);
  const [port = 0] = ports;
  expect(await isPortFree(port)).toBe(true);
  const server = createServer().listen(port, "127.0.0.1");
  await waitFor(async () => !(await isPortFree(port)), { what: "the port is taken" });
  server.close();
});
