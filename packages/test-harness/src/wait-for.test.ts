import { expect, test } from "vitest";
import { waitFor } from "./wait-for.ts";

test("it resolves with the first truthy value, whatever came or threw before", async () => {
  let calls = 0;
  const check = () => {
    calls++;
    if (calls === 1) throw new Error("not yet");
    return calls === 3 ? "ripe" : undefined;
  };
  expect(await waitFor(check, { what: "ripeness" })).toBe("ripe");
  expect(calls).toBe(3);
});

test("it names what was awaited and why the last check failed", async () => {
  const check = () => Promise.reject(new Error("connection refused"));
  await expect(waitFor(check, { timeoutMs: 30, what: "the API answers" })).rejects.toThrow(
    "Not within 30 ms: the API answers: connection refused",
  );
});
