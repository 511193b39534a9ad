import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Fleet } from "../backends/fleet.ts";
import { type RefreshLoop, startRefreshLoop } from "./refresh-loop.ts";

const intervalMs = 5_000;
let up: boolean;
let looks: number;
let look: () => Promise<void>;
let errors: unknown[];
let loop: RefreshLoop | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  up = true;
  looks = 0;
  look = async () => undefined;
  errors = [];
});
afterEach(async () => {
  await loop?.[Symbol.asyncDispose]();
  vi.useRealTimers();
});

async function start(): Promise<RefreshLoop> {
  const fleet = {
    backends: [
      {
        get up() {
          return up;
        },
      },
    ],
  } as unknown as Fleet;
  const refresh = () => {
    looks++;
    return look();
  };
  loop = startRefreshLoop(refresh, fleet, intervalMs, (error) => errors.push(error));
  await pass(0);
  return loop;
}
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test("it looks at once, and then at its interval", async () => {
  await start();
  expect(looks).toBe(1);
  await pass(intervalMs - 1);
  expect(looks).toBe(1);
  await pass(1);
  expect(looks).toBe(2);
});

test("it looks every second while a host is down", async () => {
  up = false;
  await start();
  await pass(3_000);
  expect(looks).toBe(4);
  up = true;
  await pass(1_000);
  await pass(intervalMs - 1);
  expect(looks).toBe(5);
});

test("a poke is a look now, and the interval starts anew", async () => {
  const { poke } = await start();
  await pass(4_000);
  poke();
  await pass(intervalMs - 1);
  expect(looks).toBe(2);
  await pass(1);
  expect(looks).toBe(3);
});

test("pokes during a look are one look right after it, never two at once", async () => {
  const { poke } = await start();
  let end = (): void => undefined;
  look = () => new Promise((resolve) => (end = resolve));
  poke();
  poke();
  poke();
  expect(looks).toBe(2);
  look = async () => undefined;
  end();
  await pass(0);
  expect(looks).toBe(3);
  await pass(intervalMs - 1);
  expect(looks).toBe(3);
});

test("a look that fails is told and does not end the loop", async () => {
  look = () => Promise.reject(new Error("redis is away"));
  await start();
  await pass(intervalMs);
  expect(errors).toHaveLength(2);
  expect(looks).toBe(2);
});

test("disposing waits for the look under way and leaves no timer", async () => {
  const { poke, ...rest } = await start();
  let end = (): void => undefined;
  look = () => new Promise((resolve) => (end = resolve));
  poke();
  let disposed = false;
  const disposing = rest[Symbol.asyncDispose]().then(() => (disposed = true));
  await pass(intervalMs);
  expect(disposed).toBe(false);
  poke();
  end();
  await disposing;
  await pass(10 * intervalMs);
  expect(looks).toBe(2);
  expect(vi.getTimerCount()).toBe(0);
});
