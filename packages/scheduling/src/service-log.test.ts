import { beforeEach, expect, test } from "vitest";
import { createServiceLog, type ServiceLog } from "./service-log.ts";

let log: ServiceLog;
beforeEach(() => {
  log = createServiceLog(60_000);
});

test("a job is passed over while those that are owed less are served, and not while others are", () => {
  log.began(10, 0);
  log.began(30, 10_000);
  log.began(15, 25_000);
  expect(log.passedOverMs({ tag: 20, sinceMs: 0 }, 30_000)).toBe(15_000);
  log.began(40, 30_000);
  expect(log.passedOverMs({ tag: 20, sinceMs: 0 }, 34_000)).toBe(19_000);
});

test("nor by what began before it was put, or by its equals", () => {
  log.began(30, 0);
  log.began(20, 10_000);
  expect(log.passedOverMs({ tag: 20, sinceMs: 5_000 }, 20_000)).toBe(0);
  expect(log.passedOverMs({ tag: 19, sinceMs: 5_000 }, 20_000)).toBe(10_000);
});

test("what a job that comes to the front was passed over before counts too", () => {
  for (let second = 0; second < 30; second++) log.began(100 + second, second * 1_000);
  expect(log.passedOverMs({ tag: 119, sinceMs: 0 }, 30_000)).toBe(10_000);
});

test("thousands of starts a second are remembered as a few moments, and no time is lost by it", () => {
  for (let ms = 0; ms < 50_000; ms++) log.began(100, ms);
  const passed = log.passedOverMs({ tag: 1, sinceMs: 0 }, 50_000);
  expect(passed).toBe(50_000);
});

test("a long job that began right after another one is not taken for that", () => {
  log.began(5, 0);
  log.began(5, 1);
  log.began(30, 3);
  expect(log.passedOverMs({ tag: 20, sinceMs: 2 }, 40_003)).toBe(40_000);
  log.began(10, 40_003);
  log.began(10, 50_000);
  expect(log.passedOverMs({ tag: 20, sinceMs: 2 }, 60_000)).toBe(40_000);
});

test("it looks back so far and no further", () => {
  for (let second = 0; second < 1_000; second++) log.began(100, second * 1_000);
  expect(log.passedOverMs({ tag: 1, sinceMs: 0 }, 1_000_000)).toBe(60_000);
});
