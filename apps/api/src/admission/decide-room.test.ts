import { expect, test } from "vitest";
import { decideRoom } from "./decide-room.ts";

const limits = { jobsWaitingMax: 10, redisMemoryHighWater: 0.9 };
const line = (levelMs: number, promised = false) => ({
  name: "a:1b",
  levelMs,
  limitMs: 100_000,
  msPerUnit: 0.5,
  amount: 700,
  others: { heavy: 0, light: 0 },
  promised,
});

test.each([
  ["there is room", 0, 0, line(5_000), { kind: "room" }],
  ["up to the very limits", 9, 0.89, line(100_000), { kind: "room" }],
  ["work nobody can tell is no reason", 9, 0, undefined, { kind: "room" }],
  [
    "too many jobs, at two a second",
    12,
    0,
    line(5_000),
    { kind: "ask", line: { name: "jobs", levelMs: 6_500 } },
  ],
  ["too much work", 5, 0, line(130_000), { kind: "ask", line: line(130_000) }],
  ["room for it, promised to others", 5, 0, line(70_000, true), { kind: "ask", line: line(70_000, true) }],
  ["the line that is nearest to its limit", 19, 0, line(130_000), { kind: "ask", line: { limitMs: 5_000 } }],
  ["too little memory comes before all", 12, 0.9, line(130_000), { kind: "memory" }],
] as const)("%s", (_, waiting, memoryUsed, work, decision) => {
  const load = { waiting, memoryUsed, finishedPerS: 2, promised: false };
  expect(decideRoom(load, work, limits)).toMatchObject(decision);
});

test("too many jobs, of which none is being finished, have no time", () => {
  const load = { waiting: 10, memoryUsed: 0, finishedPerS: 0, promised: false };
  expect(decideRoom(load, line(0), limits)).toEqual({ kind: "stuck" });
  expect(decideRoom({ ...load, waiting: 9 }, line(0), limits)).toEqual({ kind: "room" });
});
