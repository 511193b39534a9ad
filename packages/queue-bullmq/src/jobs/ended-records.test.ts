import { expect, test } from "vitest";
import { createEndedRecords } from "./ended-records.ts";
import { parseJobRecord } from "./job-record.ts";

const recordOf = (id: string) => parseJobRecord(id, "queue", { timestamp: "1" }, { state: "completed" });

test("a record is found again by the same values, and by no others", () => {
  const records = createEndedRecords(1_000);
  const record = recordOf("a");
  records.keep("a", ["1", null, "x"], record);
  expect(records.find("a", ["1", null, "x"])).toBe(record);
  expect(records.find("a", ["1", null, "y"])).toBeUndefined();
  expect(records.find("a", ["1", "", "x"])).toBeUndefined();
  expect(records.find("b", ["1", null, "x"])).toBeUndefined();
});

test("what changed takes the place of what was", () => {
  const records = createEndedRecords(1_000);
  const after = recordOf("a");
  records.keep("a", ["1"], recordOf("a"));
  records.keep("a", ["2"], after);
  expect(records.find("a", ["1"])).toBeUndefined();
  expect(records.find("a", ["2"])).toBe(after);
});

test("never more is kept than the limit, and nothing that would take much of it", () => {
  const records = createEndedRecords(320);
  const value = "12345678";
  for (let i = 0; i < 90; i++) records.keep(`k${i}`, [value], recordOf(`k${i}`));
  const kept = Array.from({ length: 90 }, (_, i) => i).filter((i) => records.find(`k${i}`, [value]));
  expect(kept.length).toBeGreaterThan(20);
  expect(kept.at(-1)).toBe(89);
  expect(kept.reduce((sum, i) => sum + `k${i}`.length + value.length, 0)).toBeLessThanOrEqual(320);
  const large = "x".repeat(50);
  records.keep("large", [large], recordOf("large"));
  expect(records.find("large", [large])).toBeUndefined();
});
