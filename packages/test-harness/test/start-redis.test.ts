import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { isAlive, startProcess, startRedis, waitFor } from "../src/index.ts";

/** The raw answer to one inline command. */
function command(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${line}\r\n`));
    socket.setTimeout(1_000, () => socket.destroy(new Error("no answer")));
    socket.once("data", (data) => {
      resolve(data.toString().trim());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("a Redis killed with SIGKILL comes back on the same port with its data", async () => {
  await using redis = await startRedis();
  const firstPid = redis.pid;
  expect(await command(redis.port, "SET river forebay")).toBe("+OK");
  await redis.kill("SIGKILL");
  await expect(command(redis.port, "GET river")).rejects.toThrow("ECONNREFUSED");
  await redis.restart();
  expect(redis.pid).not.toBe(firstPid);
  expect(await command(redis.port, "GET river")).toBe("$7\r\nforebay");
});

test("a frozen Redis does not answer, a thawed one does", async () => {
  await using redis = await startRedis();
  await redis.kill("SIGSTOP");
  await expect(command(redis.port, "PING")).rejects.toThrow("no answer");
  await redis.kill("SIGCONT");
  expect(await command(redis.port, "PING")).toBe("+PONG");
});

test("a frozen Redis can be stopped", async () => {
  const redis = await startRedis();
  await redis.kill("SIGSTOP");
  await redis.stop();
  expect(isAlive(redis.pid)).toBe(false);
});

test("it never evicts, and takes further directives", async () => {
  await using redis = await startRedis({ config: { maxmemory: "50mb" } });
  expect(await command(redis.port, "CONFIG GET maxmemory-policy")).toContain("noeviction");
  expect(await command(redis.port, "CONFIG GET maxmemory")).toContain("52428800");
});

test("stopping keeps a directory that was given and removes one that was not", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kept-redis-"));
  const kept = await startRedis({ dir });
  const temporary = await startRedis();
  const answer = await command(temporary.port, "CONFIG GET dir");
  await Promise.all([kept.stop(), temporary.stop()]);
  expect(existsSync(path.join(dir, "appendonlydir"))).toBe(true);
  expect(existsSync(answer.split("\r\n").at(-1) ?? "")).toBe(false);
  rmSync(dir, { recursive: true });
});

test("a Redis that cannot start says why", async () => {
  await expect(startRedis({ config: { maxmemory: "plenty" } })).rejects.toThrow("maxmemory");
});

test("a port held by another Redis is not taken for ours", async () => {
  await using redis = await startRedis();
  await expect(startRedis({ port: redis.port })).rejects.toThrow("Address already in use");
});

test("no Redis outlives the process that started it, even one killed with SIGKILL", async () => {
  const file = path.join(import.meta.dirname, "fixtures/orphan-maker.ts");
  const TMPDIR = mkdtempSync(path.join(tmpdir(), "orphan-maker-"));
  const maker = await startProcess({ file, env: { TMPDIR }, ready: /redis \d+\n/ });
  const pid = Number(maker.output().match(/redis (\d+)/)?.[1]);
  expect(isAlive(pid)).toBe(true);
  await maker.kill("SIGKILL");
  await waitFor(() => !isAlive(pid), { what: `Redis ${pid} is gone` });
  rmSync(TMPDIR, { recursive: true });
});
