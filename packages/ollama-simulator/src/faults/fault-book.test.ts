import { describe, expect, test } from "vitest";
import { FaultBook } from "./fault-book.ts";
import { parseFaultFlag, parseFaults } from "./parse-faults.ts";

const request = { path: "/api/chat", inference: true, model: "llama3.2:3b", text: "user: tell me of rivers" };

function strikes(fault: unknown, subject: object = {}, times = 6): string {
  const book = new FaultBook();
  book.add(parseFaults(fault));
  const struck = Array.from({ length: times }, () => book.strike({ ...request, ...subject }).all.length > 0);
  return struck.map((hit) => (hit ? "x" : ".")).join("");
}

describe("a fault strikes", () => {
  test.each([
    ["every time", { kind: "hang" }, "xxxxxx"],
    ["a number of times", { kind: "hang", times: 2 }, "xx...."],
    ["the nth time", { kind: "hang", nth: 3 }, "..x..."],
    ["from the nth time on, so often", { kind: "hang", nth: 3, times: 2 }, "..xx.."],
    ["never", { kind: "hang", probability: 0 }, "......"],
  ])("%s", (_title, fault, expected) => expect(strikes(fault)).toBe(expected));

  test("by chance, and by the same chance for the same seed", () => {
    const fault = { kind: "hang", probability: 0.5, seed: 4 };
    const all = strikes(fault, {}, 200);
    expect(strikes(fault, {}, 200)).toBe(all);
    expect(strikes({ ...fault, seed: 5 }, {}, 200)).not.toBe(all);
    expect(all.replaceAll(".", "").length).toBeGreaterThan(70);
    expect(all.replaceAll(".", "").length).toBeLessThan(130);
  });
});

describe("a fault is limited to", () => {
  test.each([
    ["a model", { kind: "hang", model: "llama3.2:3b" }, { model: "llama3.2:3b" }, true],
    ["a model, by any spelling", { kind: "hang", model: "llama3.2" }, { model: "llama3.2:latest" }, true],
    ["a model, not another one", { kind: "hang", model: "qwen3:8b" }, {}, false],
    ["a text", { kind: "hang", match_prompt: "rivers" }, {}, true],
    ["a text, not another one", { kind: "hang", match_prompt: "lakes" }, {}, false],
    ["work for a model", { kind: "status" }, { path: "/api/tags", inference: false }, false],
    [
      "a path, when one is named",
      { kind: "status", match_path: "/api/tags" },
      { path: "/api/tags", inference: false },
      true,
    ],
    [
      "nothing, when connections are refused",
      { kind: "refuse" },
      { path: "/api/tags", inference: false },
      true,
    ],
  ])("%s", (_title, fault, subject, expected) =>
    expect(strikes(fault, subject, 1)).toBe(expected ? "x" : "."),
  );
});

describe("faults are written", () => {
  test.each([
    ["503", { kind: "status", status: 503 }],
    ["reset,after_tokens=3,times=1", { kind: "reset", after_tokens: 3, times: 1 }],
    [
      "in_band_error,message=CUDA error,probability=0.1",
      { kind: "in_band_error", message: "CUDA error", probability: 0.1 },
    ],
    ["crash,exit=true,nth=2", { kind: "crash", exit: true, nth: 2 }],
    ['{"kind":"slow","tokens_per_s":0.5}', { kind: "slow", tokens_per_s: 0.5 }],
  ])("as %s", (flag, fault) => expect(parseFaultFlag(flag)).toEqual([fault]));

  test.each([
    ["nonsense", "kind: unknown kind of fault"],
    ["reset,after=3", 'Unrecognized key: "after"'],
    ["reset,nth=0", "nth: Too small"],
    ["{", "not JSON"],
  ])("and %j is refused with what is wrong", (flag, problem) =>
    expect(() => parseFaultFlag(flag)).toThrow(problem),
  );

  test("and the refusal says what is allowed", () => {
    expect(() => parseFaults({ kind: "nonsense" })).toThrow(
      /Allowed kinds: refuse, .*Allowed fields: kind, model, /,
    );
  });
});
