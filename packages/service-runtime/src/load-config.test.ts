import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { loadConfig } from "./load-config.ts";

const directory = mkdtempSync(path.join(tmpdir(), "load-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

function fileWith(content: string): string {
  const file = path.join(directory, `${crypto.randomUUID()}.txt`);
  writeFileSync(file, content);
  return file;
}

function problemsOf(schema: z.ZodType, env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

const schema = z.object({
  PORT: z.coerce.number().int().default(8080),
  PASSWORD: z.string().min(8).optional(),
  REGION: z.string(),
});

describe("what counts as set", () => {
  test("an empty or blank variable is unset", () => {
    expect(loadConfig(schema, { PORT: "", PASSWORD: "  ", REGION: "north" })).toEqual({
      PORT: 8080,
      REGION: "north",
    });
  });

  test("X_FILE gives the trimmed content of the file as X", () => {
    const config = loadConfig(schema, { REGION: "north", PASSWORD_FILE: fileWith("correct horse\n") });
    expect(config.PASSWORD).toBe("correct horse");
  });

  test("X_FILE is read through a transform and an intersection too", () => {
    const both = schema.and(z.object({ TOKEN: z.string() })).transform(({ TOKEN }) => ({ token: TOKEN }));
    expect(loadConfig(both, { REGION: "north", TOKEN_FILE: fileWith(" t \n") })).toEqual({ token: "t" });
  });

  test("a _FILE variable of somebody else is left alone", () => {
    expect(loadConfig(schema, { REGION: "north", OTHER_FILE: "/nowhere" }).PORT).toBe(8080);
  });
});

describe("problems", () => {
  test("all are told at once, each naming its variable", () => {
    expect(problemsOf(schema, { PORT: "high", PASSWORD: "short" })).toEqual([
      "PORT: expected number, received NaN",
      "PASSWORD: Too small: expected string to have >=8 characters",
      "REGION is required but not set",
    ]);
  });

  test("no value is shown: it may be a secret", () => {
    expect(problemsOf(schema, { REGION: "north", PASSWORD: "hunter2" }).join()).not.toContain("hunter2");
  });

  test("a file that cannot be read is told once, with the others", () => {
    expect(problemsOf(schema, { PORT: "high", REGION_FILE: "/nowhere/region" })).toEqual([
      "REGION_FILE: /nowhere/region cannot be read (ENOENT)",
      "PORT: expected number, received NaN",
    ]);
  });

  test("an empty file is a problem, not an unset variable", () => {
    const file = fileWith("\n");
    expect(problemsOf(schema, { REGION: "north", PASSWORD_FILE: file })).toEqual([
      `PASSWORD_FILE: ${file} is empty`,
    ]);
  });

  test("a variable given both ways is refused", () => {
    expect(problemsOf(schema, { REGION: "north", REGION_FILE: fileWith("south") })).toEqual([
      "REGION and REGION_FILE are both set: keep one of them",
    ]);
  });

  test("a rule over several variables keeps its own words", () => {
    const pair = schema.refine((env) => env.PORT !== 80, { error: "PORT must not be 80 in REGION north" });
    expect(problemsOf(pair, { REGION: "north", PORT: "80" })).toEqual([
      "PORT must not be 80 in REGION north",
    ]);
  });
});

test("the result is frozen all the way down", () => {
  const nested = schema.transform(({ REGION }) => ({ place: { regions: [REGION] } }));
  const config = loadConfig(nested, { REGION: "north" });
  expect(() => config.place.regions.push("south")).toThrow(TypeError);
  expect(() => Object.assign(config.place, { regions: [] })).toThrow(TypeError);
});

test("a schema whose variables cannot be known is a mistake of the programmer", () => {
  expect(() => loadConfig(z.record(z.string(), z.string()), {})).toThrow(TypeError);
});
