import { ConfigError, loadConfig } from "@forebay/service-runtime";
import { describe, expect, test } from "vitest";
import { workerConfigSchema } from "./config.ts";

const load = (env: Record<string, string> = {}) => loadConfig(workerConfigSchema, env);

/** The lines of the error a configuration is refused with. */
function problemsOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("nothing need be set", () => {
  expect(load()).toMatchObject({
    backends: [{ name: "127.0.0.1:11434", url: "http://127.0.0.1:11434" }],
    slotsPerModel: undefined,
    affinityWaitMs: { interactive: 10_000, standard: 60_000, batch: 300_000 },
    keepAliveS: 300,
    firstByteTimeoutMs: 600_000,
    shutdownGraceMs: 25_000,
    ops: { host: "127.0.0.1", port: 9_102 },
    policy: { workerLossesMax: 2, completedAgeS: 86_400, completedCount: 10_000, failedAgeS: 604_800 },
  });
});

test("the budget for a load is at least what loads are reported to take", () => {
  expect(load().firstByteTimeoutMs).toBeGreaterThanOrEqual(5 * 60_000);
});

test("seconds become milliseconds, also parts of them", () => {
  const config = load({
    WORKER_FIRST_BYTE_TIMEOUT_S: "1.5",
    WORKER_TOKEN_TIMEOUT_S: "2",
    WORKER_SHUTDOWN_GRACE_S: "0",
    WORKER_LOCK_MS: "250",
  });
  expect(config).toMatchObject({
    firstByteTimeoutMs: 1_500,
    tokenTimeoutMs: 2_000,
    shutdownGraceMs: 0,
    lockMs: 250,
    slotLeaseMs: 250,
  });
  expect(load({}).slotLeaseMs).toBe(15_000);
});

describe("OLLAMA_URLS", () => {
  test.each([
    ["one", "http://gpu:11434", [{ name: "gpu:11434", url: "http://gpu:11434" }]],
    ["with a name", "gpu-1=http://10.0.0.1:11434", [{ name: "gpu-1", url: "http://10.0.0.1:11434" }]],
    [
      "several, with space and names or without",
      " a=http://10.0.0.1:1 , https://b.example ",
      [
        { name: "a", url: "http://10.0.0.1:1" },
        { name: "b.example", url: "https://b.example" },
      ],
    ],
    ["with slashes at the end", "http://gpu//", [{ name: "gpu", url: "http://gpu" }]],
    ["with a path", "http://proxy/ollama/", [{ name: "proxy", url: "http://proxy/ollama" }]],
    ["an IPv6 address", "http://[::1]:11434", [{ name: "[::1]:11434", url: "http://[::1]:11434" }]],
    ["empty, which is unset", "", [{ name: "127.0.0.1:11434", url: "http://127.0.0.1:11434" }]],
  ])("%s", (_, text, backends) => {
    expect(load({ OLLAMA_URLS: text }).backends).toEqual(backends);
  });

  test.each([
    ["no scheme", "gpu:11434", "entry 1"],
    ["another scheme", "ftp://gpu", "entry 1"],
    ["an empty entry", "http://a,,http://b", "entry 2"],
    ["no host", "a=http://", "entry 1"],
    ["a port that is none", "http://gpu:99999", "entry 1"],
    ["a query", "http://gpu?x=1", "entry 1"],
    ["credentials", "http://me:secret@gpu", "entry 1"],
    ["a name twice", "a=http://x,a=http://y", "two backends have one name"],
    ["an address twice", "http://x:1,http://x:1/", "two backends have one name"],
  ])("%s is refused", (_, text, problem) => {
    const problems = problemsOf({ OLLAMA_URLS: text });
    expect(problems).toContain("OLLAMA_URLS");
    expect(problems).toContain(problem);
    expect(problems).not.toContain("secret");
  });

  test("every bad entry is named", () => {
    expect(problemsOf({ OLLAMA_URLS: "x,http://ok,y" })).toMatch(/entry 1[\s\S]*entry 3/);
  });
});

test.each([
  ["WORKER_CONCURRENCY", "0"],
  ["WORKER_CONCURRENCY", "1.5"],
  ["WORKER_CONCURRENCY", "many"],
  ["WORKER_SLOTS", "qwen3:8b"],
  ["WORKER_SLOTS", "qwen3:8b=0"],
  ["WORKER_AFFINITY_WAIT_S", "soon"],
  ["WORKER_AFFINITY_WAIT_S", "interactive=5,standard=60"],
  ["WORKER_KEEP_ALIVE_S", "-2"],
  ["WORKER_FIRST_BYTE_TIMEOUT_S", "0"],
  ["WORKER_FIRST_BYTE_TIMEOUT_S", "-1"],
  ["WORKER_LOCK_MS", "10"],
  ["WORKER_OPS_PORT", "70000"],
  ["WORKER_SHUTDOWN_GRACE_S", "-1"],
  ["DELIVERY_WORKER_LOSSES_MAX", "-1"],
  ["RETENTION_FAILED_S", "0"],
  ["REDIS_URL", "http://127.0.0.1:6379"],
  ["FOREBAY_KEY_PREFIX", "a:b"],
  ["LOG_LEVEL", "loud"],
])("%s=%s is refused by name", (name, value) => {
  expect(problemsOf({ [name]: value })).toContain(name);
});

test("slots are given for a model, or for a model on one backend", () => {
  const { slots, slotsPerModel } = load({
    WORKER_SLOTS: "qwen3:8b=4, hf.co/a/b:Q8@gpu-1=2",
    WORKER_CONCURRENCY: "3",
  });
  expect([...slots]).toEqual([
    ["qwen3:8b", 4],
    ["hf.co/a/b:Q8@gpu-1", 2],
  ]);
  expect(slotsPerModel).toBe(3);
});

test("how long a head may be passed over is given once, or for each lane", () => {
  expect(load({ WORKER_AFFINITY_WAIT_S: "5" }).affinityWaitMs.batch).toBe(5_000);
  const lanes = load({ WORKER_AFFINITY_WAIT_S: "interactive=1,standard=30,batch=300" }).affinityWaitMs;
  expect(lanes).toEqual({ interactive: 1_000, standard: 30_000, batch: 300_000 });
});

test.each(["WORKER_FIRST_BYTE_TIMEOUT_S", "WORKER_TOKEN_TIMEOUT_S", "WORKER_SHUTDOWN_GRACE_S"])(
  "%s beyond what a timer can wait is refused: it would fire at once",
  (name) => {
    expect(problemsOf({ [name]: "3000000" })).toContain(name);
    expect(() => load({ [name]: "1000000" })).not.toThrow();
  },
);

test("all problems are told at once", () => {
  const problems = problemsOf({ OLLAMA_URLS: "x", WORKER_CONCURRENCY: "0", LOG_LEVEL: "loud" });
  expect(problems).toMatch(/OLLAMA_URLS/);
  expect(problems).toMatch(/WORKER_CONCURRENCY/);
  expect(problems).toMatch(/LOG_LEVEL/);
});
