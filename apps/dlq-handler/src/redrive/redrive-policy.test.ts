import { expect, test } from "vitest";
import { decideRedrive, redrivePolicySchema } from "./redrive-policy.ts";

test("a policy is written as code:times@delay", () => {
  expect(redrivePolicySchema.parse(" backend_reset:3@60s, runner_crashed:1@5m,timed_out:2@1h")).toEqual([
    { text: "backend_reset:3@60s", code: "backend_reset", timesMax: 3, delayMs: 60_000 },
    { text: "runner_crashed:1@5m", code: "runner_crashed", timesMax: 1, delayMs: 300_000 },
    { text: "timed_out:2@1h", code: "timed_out", timesMax: 2, delayMs: 3_600_000 },
  ]);
});

test.each(["", " ", ","])("%j redrives nothing", (text) => {
  expect(redrivePolicySchema.parse(text)).toEqual([]);
});

test.each([
  ["backend_reset", "is not code:times@delay"],
  ["backend_reset:3", "is not code:times@delay"],
  ["backend_reset:-1@60s", "is not code:times@delay"],
  ["backend_reset:3@60", "is not code:times@delay"],
  ["backend_reset:3@1d", "is not code:times@delay"],
  ["backend_rest:3@60s", '"backend_rest" is not a failure code'],
  ["cancelled:3@60s", "never dead letters"],
  ["expired:3@60s", "never dead letters"],
  ["backend_reset:0@60s", "would never redrive"],
  ["backend_reset:1@999999h", "waits longer than 7 days"],
  ["backend_reset:1@1s,backend_reset:2@2s", "backend_reset has two rules"],
])("%s is refused: %s", (text, why) => {
  const issues = redrivePolicySchema.safeParse(text).error?.issues ?? [];
  expect(issues.map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
});

const policy = redrivePolicySchema.parse("backend_reset:2@60s,runner_crashed:1@5m");

test.each([
  ["a first failure", "dead", "backend_reset", 0, "backend_reset:2@60s"],
  ["a second one", "dead", "backend_reset", 1, "backend_reset:2@60s"],
  ["one put back often enough", "dead", "backend_reset", 2, undefined],
  ["another code by its own rule", "dead", "runner_crashed", 0, "runner_crashed:1@5m"],
  ["another code often enough by its own rule", "dead", "runner_crashed", 1, undefined],
  ["a code without a rule", "dead", "out_of_memory", 0, undefined],
  ["a letter somebody parked", "parked", "backend_reset", 0, undefined],
  ["a letter somebody dropped", "dropped", "backend_reset", 0, undefined],
  ["a letter that was redriven already", "redriven", "backend_reset", 1, undefined],
] as const)("%s", (_, state, code, redrives, rule) => {
  const letter = { state, failure: { code, message: "it broke" }, redrives };
  expect(decideRedrive(policy, letter)?.text).toBe(rule);
});

test("without a policy nothing is redriven", () => {
  const letter = { state: "dead", failure: { code: "backend_reset", message: "" }, redrives: 0 } as const;
  expect(decideRedrive([], letter)).toBeUndefined();
});
