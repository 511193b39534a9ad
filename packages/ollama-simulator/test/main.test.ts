import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";

const main = new URL("../src/main.ts", import.meta.url).pathname;
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: "pipe" });
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, out, err }));
  const url = once(child.stdout, "data").then(() => /http:\S+/.exec(out)?.[0] ?? "");
  return { child, ended, url };
}

test("says in one line where it listens and with which models", async () => {
  const { child, ended, url } = run(["--port", "0", "--tokens-per-s", "instant"], {
    SIMULATOR_MODELS: "phi4:14b",
    SIMULATOR_LOAD_MS: "0",
  });
  const response = await fetch(`${await url}/api/generate`, {
    method: "POST",
    body: '{"model":"phi4:14b","prompt":"Hi"}',
  });
  expect(await response.text()).toContain('"done":true');
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^ollama-simulator listening on http:\S+ with phi4:14b\n$/),
    err: "",
  });
});

test("SIGTERM cuts open streams, as Ollama does", async () => {
  const { child, ended, url } = run(["--port", "0", "--tokens-per-s", "20", "--load-ms", "0"]);
  const body = '{"model":"llama3.2:3b","prompt":"Hi","options":{"num_predict":1000}}';
  const response = await fetch(`${await url}/api/generate`, { method: "POST", body });
  child.kill("SIGTERM");
  await expect(response.text()).rejects.toThrow();
  expect((await ended).code).toBe(0);
});

test("a crash that ends the process really ends it", async () => {
  const { ended, url } = run([
    "--port",
    "0",
    "--fault",
    "crash,exit=true,nth=2",
    "--tokens-per-s",
    "instant",
    "--load-ms",
    "0",
  ]);
  const base = await url;
  const generate = () =>
    fetch(`${base}/api/generate`, { method: "POST", body: '{"model":"llama3.2:3b","prompt":"Hi"}' });
  expect((await generate()).status).toBe(200);
  await expect(generate()).rejects.toThrow();
  expect((await ended).signal).toBe("SIGKILL");
});

test("a port that is taken is named, with the flag that changes it", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const { code, err } = await run(["--port", port]).ended;
  holder.close();
  expect([code, err]).toEqual([1, `port ${port} is taken: choose another with --port or SIMULATOR_PORT\n`]);
});

test.each([
  [["--gpu"], "Unknown option '--gpu'"],
  [["--port", "high"], '--port: "high" is not a whole number from 0 to 65535'],
])("%j is a mistake: exit 2", async (args, message) => {
  expect(await run(args).ended).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});

test("--help shows every flag", async () => {
  expect(await run(["--help"]).ended).toMatchObject({
    code: 0,
    out: expect.stringContaining("--tokens-per-s"),
  });
});
