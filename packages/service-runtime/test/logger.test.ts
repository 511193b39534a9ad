import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const index = fileURLToPath(new URL("../src/index.ts", import.meta.url));

function linesOf(script: string): Record<string, unknown>[] {
  const code = `import { createLogger } from ${JSON.stringify(index)};\n${script}`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  return output
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test("a line is JSON with time, level by name, service and message", () => {
  const [line] = linesOf(`createLogger({ service: "api", level: "info" }).info({ port: 1 }, "listens")`);
  expect(line).toMatchObject({ level: "info", service: "api", msg: "listens", port: 1 });
  expect(Date.parse(String(line?.time))).not.toBeNaN();
});

test("lines below the level are not written, and none is lost to an exit", () => {
  const lines = linesOf(`
    const logger = createLogger({ service: "api", level: "warn" });
    logger.info("quiet");
    for (let n = 0; n < 500; n++) logger.warn({ n }, "loud");
    process.exit(0);`);
  expect(lines).toHaveLength(500);
});

test("headers that carry credentials are never written", () => {
  const [line] = linesOf(`
    const headers = { authorization: "Bearer SECRET", "x-api-key": "SECRET", "x-ollama-key": "SECRET", cookie: "SECRET" };
    createLogger({ service: "api", level: "info" }).info({ ...headers, headers, req: { headers } }, "request");`);
  expect(JSON.stringify(line)).not.toContain("SECRET");
  expect(line).toMatchObject({ authorization: "[redacted]", req: { headers: { cookie: "[redacted]" } } });
});

test("an error is written with its cause, not as an empty object", () => {
  const [line] = linesOf(`
    const err = new Error("outer", { cause: new Error("inner") });
    createLogger({ service: "api", level: "info" }).error({ err }, "failed");`);
  expect(JSON.stringify(line)).toMatch(/outer.*inner/);
});

test("what a command refused by Redis was to store is never written", () => {
  const [line] = linesOf(`
    const command = { name: "hset", args: ["key", "the prompt"] };
    const err = Object.assign(new Error("OOM command not allowed"), { command });
    createLogger({ service: "worker", level: "info" }).error({ err }, "consumer error");`);
  expect(line).toMatchObject({ err: { message: "OOM command not allowed", command: { name: "hset" } } });
  expect(JSON.stringify(line)).not.toContain("the prompt");
});
