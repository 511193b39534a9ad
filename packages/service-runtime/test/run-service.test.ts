import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/service.ts", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Run {
  child: ChildProcess;
  output(): string;
  /** Resolves once the output contains the text; rejects if the process ends without it. */
  until(text: string): Promise<void>;
  exitCode: Promise<number | null>;
}

function run(behaviour: string, env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [fixture, behaviour], { env: { ...process.env, ...env } });
  children.push(child);
  let text = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (const check of waiting) check();
    });
  }
  const closed = once(child, "close");
  return {
    child,
    output: () => text,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (text.includes(wanted)) resolve();
        };
        waiting.add(check);
        check();
        void closed.then(() => reject(new Error(`ended without "${wanted}":\n${text}`)));
      }),
    exitCode: closed.then(([code]: (number | null)[]) => code ?? null),
  };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s closes what was opened in reverse order and exits 0",
  async (signal) => {
    const service = run("clean");
    await service.until("fixture started");
    service.child.kill(signal);
    expect(await service.exitCode).toBe(0);
    expect(service.output().match(/note .*/g)).toEqual([
      "note stopping aborted",
      "note second closed",
      "note first closed",
    ]);
  },
);

test("every failure of closing is logged, the rest is still closed, and the exit code is 1", async () => {
  const service = run("fails-closing");
  await service.until("fixture started");
  service.child.kill("SIGTERM");
  expect(await service.exitCode).toBe(1);
  expect(service.output()).toContain("second would not close");
  expect(service.output()).toContain("third would not close");
  expect(service.output()).toContain("note first closed");
});

test("a failure while starting is one log line, closes what was open and exits 1", async () => {
  const service = run("fails-starting");
  expect(await service.exitCode).toBe(1);
  const fatal = service
    .output()
    .split("\n")
    .filter((line) => line.includes('"level":"fatal"'));
  expect(fatal).toHaveLength(1);
  expect(fatal[0]).toContain("cannot open the thing");
  expect(service.output()).toContain("note first closed");
});

test("a taken port is explained with the variable to change and without a stack", async () => {
  const service = run("port-taken");
  expect(await service.exitCode).toBe(1);
  expect(service.output()).toContain("Port 9101 on 127.0.0.1 is taken by another process");
  expect(service.output()).toContain("OPS_PORT");
  expect(service.output()).not.toContain(" at ");
});

test("a service that does not close is ended by the deadline, with exit code 1", async () => {
  const service = run("never-closes", { GRACE_MS: "-4900" });
  await service.until("fixture started");
  service.child.kill("SIGTERM");
  expect(await service.exitCode).toBe(1);
  expect(service.output()).toContain("stop deadline passed");
});

test("a second signal exits at once", async () => {
  const service = run("never-closes", { GRACE_MS: "60000" });
  await service.until("fixture started");
  service.child.kill("SIGTERM");
  await service.until("note stopping aborted");
  service.child.kill("SIGTERM");
  expect(await service.exitCode).toBe(1);
  expect(service.output()).toContain("second signal");
});

test("one Ctrl-C that arrives from terminal and runner alike is one signal", async () => {
  const service = run("clean");
  await service.until("fixture started");
  service.child.kill("SIGINT");
  service.child.kill("SIGINT");
  expect(await service.exitCode).toBe(0);
  expect(service.output()).toContain("note first closed");
});

test("a signal while starting stops the start and exits 0", async () => {
  const service = run("waits-in-start");
  await service.until("note waiting");
  service.child.kill("SIGTERM");
  expect(await service.exitCode).toBe(0);
  expect(service.output()).toContain("note first closed");
  expect(service.output()).not.toContain('"level":"fatal"');
});

test.each([
  ["fails-later", "the loop broke"],
  ["rejects-later", "nobody handles this"],
  ["throws-later", "nobody catches"],
])(
  "an error that ends the service (%s) is logged as fatal, closes in order and exits 1",
  async (behaviour, text) => {
    const service = run(behaviour);
    expect(await service.exitCode).toBe(1);
    expect(service.output()).toMatch(new RegExp(`"level":"fatal".*${text}`));
    expect(service.output()).toContain("note first closed");
  },
);

test("a wrong configuration is printed for a person, without a stack", async () => {
  const service = run("clean", { GRACE_MS: "soon" });
  expect(await service.exitCode).toBe(1);
  expect(service.output()).toContain("GRACE_MS: expected number");
  expect(service.output()).not.toContain(" at ");
});

test("what only starting took of memory is given back once the service runs", async () => {
  const service = run("litters");
  await service.until("note heap given back");
});
