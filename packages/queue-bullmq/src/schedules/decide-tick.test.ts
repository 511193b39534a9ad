import { expect, test } from "vitest";
import { decideTick, missedAfterMs } from "./decide-tick.ts";

const dueAt = new Date("2026-11-21T10:00:00.000Z");
const after = (ms: number): Date => new Date(dueAt.getTime() + ms);

test.each([
  ["on time, it starts", { paused: false, missed: "skip" }, 5, "start"],
  [
    "late by less than counts as missed, it starts",
    { paused: false, missed: "skip" },
    missedAfterMs,
    "start",
  ],
  ["missed, it is skipped", { paused: false, missed: "skip" }, missedAfterMs + 1, "skip"],
  ["missed, it is made up for if the schedule says so", { paused: false, missed: "catch_up" }, 9e6, "start"],
  ["paused, its last ticks mean nothing", { paused: true, missed: "catch_up" }, 5, "ignore"],
  ["deleted, they mean nothing either", undefined, 5, "ignore"],
  ["early by a clock that is behind, it starts", { paused: false, missed: "skip" }, -60_000, "start"],
] as const)("%s", (_, schedule, lateMs, decision) => {
  expect(decideTick(schedule, dueAt, after(lateMs))).toBe(decision);
});
