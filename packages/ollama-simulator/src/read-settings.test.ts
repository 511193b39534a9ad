import { describe, expect, test } from "vitest";
import { readSettings, SettingsError } from "./read-settings.ts";

test("without anything said, it is like Ollama on a usual GPU", () => {
  expect(readSettings([], {})).toMatchObject({
    port: 11434,
    host: "127.0.0.1",
    tokensPerS: 60,
    loadMs: 3000,
    keepAliveMs: 300_000,
  });
});

test("flags win over the environment", () => {
  const env = { SIMULATOR_PORT: "1", SIMULATOR_NUM_PARALLEL: "4", SIMULATOR_MODELS: "" };
  expect(readSettings(["--port", "2"], env)).toMatchObject({
    port: 2,
    numParallel: 4,
    models: expect.arrayContaining(["qwen3:8b"]),
  });
});

test("speeds may be instant, faults may be repeated, keep-alive takes every form", () => {
  const args = [
    "--tokens-per-s",
    "instant",
    "--prefill-tokens-per-s",
    "0",
    "--keep-alive=-1",
    "--fault",
    "503,times=1",
    "--fault",
    "slow",
  ];
  expect(readSettings(args, { SIMULATOR_FAULT: "hang" })).toMatchObject({
    tokensPerS: 0,
    prefillTokensPerS: 0,
    keepAliveMs: Number.POSITIVE_INFINITY,
    faults: [{ kind: "status", status: 503, times: 1 }, { kind: "slow" }, { kind: "hang" }],
  });
});

describe("mistakes", () => {
  test("are all told at once, each with its flag or variable", () => {
    const wrong = () =>
      readSettings(["--port", "99999", "--models", "a b", "--fault", "x"], { SIMULATOR_LOAD_MS: "soon" });
    expect(wrong).toThrow(SettingsError);
    expect(wrong).toThrow(
      /--port: .*\n--models: "a b" is not a model name\nSIMULATOR_LOAD_MS: .*\n--fault: /,
    );
  });

  test("an unknown flag is refused with the known ones", () => {
    expect(() => readSettings(["--gpu"], {})).toThrow(/Unknown option '--gpu'[^]*Known flags: --port/);
  });
});
