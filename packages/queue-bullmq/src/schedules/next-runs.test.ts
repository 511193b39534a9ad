import { describe, expect, test } from "vitest";
import { InvalidRhythmError, nextRuns } from "./next-runs.ts";

const iso = (dates: Date[]): string[] => dates.map((date) => date.toISOString());

test("an interval runs at multiples of itself, strictly after the time asked for", () => {
  const from = new Date("2026-11-21T10:00:00.000Z");
  expect(iso(nextRuns({ every_ms: 60_000 }, from, 2))).toEqual([
    "2026-11-21T10:01:00.000Z",
    "2026-11-21T10:02:00.000Z",
  ]);
});

test("a cron expression follows its time zone over the change of the clocks", () => {
  const rhythm = { cron: "30 3 * * *", tz: "Europe/Brussels" };
  // Summer time ends in the night of 25 October 2026.
  expect(iso(nextRuns(rhythm, new Date("2026-10-24T00:00:00.000Z"), 3))).toEqual([
    "2026-10-24T01:30:00.000Z",
    "2026-10-25T02:30:00.000Z",
    "2026-10-26T02:30:00.000Z",
  ]);
});

describe("a rhythm that cannot be is refused, and the field named", () => {
  test.each([
    [{ cron: "61 * * * *", tz: "UTC" }, "cron"],
    [{ cron: "", tz: "UTC" }, "cron"],
    [{ cron: "0 0 30 2 *", tz: "UTC" }, "cron"],
    [{ cron: "* * * * *", tz: "Mars/Olympus" }, "tz"],
  ])("%j", (rhythm, field) => {
    let thrown: unknown;
    try {
      nextRuns(rhythm, new Date(), 1);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidRhythmError);
    expect(thrown).toMatchObject({ field });
  });
});
