import { expect, test } from "vitest";
import { openLoop } from "./open-loop.ts";

test("a poked loop runs again although its interval has not passed", async () => {
  const second = Promise.withResolvers<void>();
  let runs = 0;
  await using loop = openLoop(
    async () => {
      if (++runs === 2) second.resolve();
    },
    3_600_000,
    second.reject,
  );
  loop.poke();
  loop.poke();
  await second.promise;
  expect(runs).toBe(2);
});

test("a poke during a run is not lost", async () => {
  const second = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let runs = 0;
  await using loop = openLoop(
    async () => {
      if (++runs === 1) await release.promise;
      else second.resolve();
    },
    3_600_000,
    second.reject,
  );
  loop.poke();
  release.resolve();
  await second.promise;
  expect(runs).toBe(2);
});

test("a run that fails is told and does not end the loop", async () => {
  const errors: unknown[] = [];
  const second = Promise.withResolvers<void>();
  let runs = 0;
  await using _loop = openLoop(
    async () => {
      if (++runs === 1) throw new Error("once");
      second.resolve();
    },
    1,
    (error) => errors.push(error),
  );
  await second.promise;
  expect(errors).toEqual([new Error("once")]);
});

test("disposing aborts the run under way and waits for it", async () => {
  let ended = false;
  const loop = openLoop(
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended = true;
      signal.throwIfAborted();
    },
    1,
    () => expect.unreachable(),
  );
  await loop[Symbol.asyncDispose]();
  expect(ended).toBe(true);
});
