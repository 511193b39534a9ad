import { expect, test, vi } from "vitest";
import { groupCalls } from "./group-calls.ts";
import { openRedis } from "./open-redis.ts";

// Never connected: what is grouped here goes nowhere.
const client = openRedis({ url: "redis://127.0.0.1:1", prefix: "x" }, "producer", "test", () => undefined);
client.disconnect();

const doubled = (items: readonly number[]): Promise<number[]> =>
  Promise.resolve(items.map((item) => item * 2));

test("calls of one turn are one, and each gets its own answer", async () => {
  const run = vi.fn(doubled);
  const call = groupCalls(run, { client, callsMax: 10 });
  const answers = [call("a", 1), Promise.resolve().then(() => call("a", 2)), call("a", 3)];
  expect(await Promise.all(answers)).toEqual([2, 4, 6]);
  expect(run.mock.calls).toEqual([[[1, 3, 2]]]);
});

test("calls of another kind, of another turn, and more than fit are others", async () => {
  const run = vi.fn(doubled);
  const call = groupCalls(run, { client, callsMax: 2 });
  await Promise.all([call("a", 1), call("b", 2), call("a", 3), call("a", 4)]);
  await call("a", 5);
  expect(run.mock.calls.map(([items]) => items)).toEqual([[1, 3], [4], [2], [5]]);
});

test("a call that fails takes no other one with it, where it may be the fault of one", async () => {
  const run = vi.fn((items: readonly number[]) =>
    items.includes(2) ? Promise.reject(new Error("two")) : doubled(items),
  );
  const call = groupCalls(run, { client, callsMax: 10, isOfOne: () => true });
  const answers = await Promise.allSettled([call("", 1), call("", 2), call("", 3)]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(run).toHaveBeenCalledTimes(4);
});

test("what is everybody's fault is tried once", async () => {
  const run = vi.fn(() => Promise.reject(new Error("away")));
  const call = groupCalls(run, { client, callsMax: 10 });
  const answers = await Promise.allSettled([call("", 1), call("", 2)]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(run).toHaveBeenCalledTimes(1);
});

test("answers that are too few fail instead of being awaited for ever", async () => {
  const call = groupCalls(() => Promise.resolve([1]), { client, callsMax: 10 });
  const answers = await Promise.allSettled([call("", 1), call("", 2)]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
