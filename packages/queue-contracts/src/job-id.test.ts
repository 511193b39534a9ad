import { describe, expect, test } from "vitest";
import { affinityOf, queueTag } from "./affinity.ts";
import { createJobId, jobIdSchema, jobIdTimeMs, queueTagOfJobId } from "./job-id.ts";

const tag = queueTag(affinityOf({ model: "qwen3:8b" }));

describe("a job id", () => {
  test("sorts by age, across every digit of the time", () => {
    const times = [0, 1, 31, 32, 1_700_000_000_000, 1_795_299_199_999, 1_795_299_200_000, 2 ** 44];
    const ids = times.map((time) => createJobId(tag, time));
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.map(jobIdTimeMs)).toEqual(times);
  });

  test("is new each time, also within a millisecond", () => {
    const ids = Array.from({ length: 10_000 }, () => createJobId(tag, 1_700_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("gives every random character every value, so that all of its 80 bits count", () => {
    const ids = Array.from({ length: 2_000 }, () => createJobId(tag));
    for (let at = 10; at < 26; at++) expect(new Set(ids.map((id) => id.charAt(at))).size).toBe(32);
  });

  test("leads back to its queue", () => {
    expect(queueTagOfJobId(createJobId(tag))).toBe(tag);
  });

  test("is safe for BullMQ: no colon, never an integer, one length", () => {
    for (const id of [createJobId("00000000", 0), createJobId(tag), createJobId(tag, 2 ** 45 - 1)]) {
      expect(id).toMatch(/^j[0-9a-z]{33}$/);
      expect(jobIdSchema.parse(id)).toBe(id);
    }
  });
});

const good = createJobId(tag);
test.each([
  ["empty", ""],
  ["an integer", "12345"],
  ["too short", good.slice(0, -1)],
  ["too long", `${good}0`],
  ["in upper case", good.toUpperCase()],
  ["with a letter base32 leaves out", `${good.slice(0, -1)}u`],
  ["with a colon", `${good.slice(0, -1)}:`],
  ["with a line after it", `${good}\n`],
])("a text that is %s is no job id", (_, text) => {
  expect(jobIdSchema.safeParse(text).success).toBe(false);
  expect(queueTagOfJobId(text)).toBeUndefined();
});
