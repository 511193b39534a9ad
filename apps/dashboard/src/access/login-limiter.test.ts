import { expect, it } from "vitest";
import { createLoginLimiter } from "./login-limiter.ts";

function limiterAt(clock: { ms: number }) {
  return createLoginLimiter({ failuresMax: 2, windowMs: 60_000, addressesMax: 3, now: () => clock.ms });
}

it("an address waits after its last allowed failure, until its window ends", () => {
  const clock = { ms: 0 };
  const limiter = limiterAt(clock);
  limiter.recordFailure("a");
  expect(limiter.retryAfterS("a")).toBe(0);
  clock.ms = 20_500;
  limiter.recordFailure("a");
  expect(limiter.retryAfterS("a")).toBe(40);
  expect(limiter.retryAfterS("b")).toBe(0);
  clock.ms = 60_000;
  expect(limiter.retryAfterS("a")).toBe(0);
  limiter.recordFailure("a");
  expect(limiter.retryAfterS("a")).toBe(0);
});

it("a flood of addresses costs no more memory than the limit, and forgets the oldest first", () => {
  const limiter = limiterAt({ ms: 0 });
  for (const address of ["a", "a", "b", "b", "c", "c"]) limiter.recordFailure(address);
  limiter.recordFailure("d");
  expect(["a", "b", "c"].map((address) => limiter.retryAfterS(address))).toEqual([0, 60, 60]);
});
