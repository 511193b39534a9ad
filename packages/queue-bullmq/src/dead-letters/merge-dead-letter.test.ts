import type { DeadLetter } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { describeFailedJob } from "./describe-failed-job.ts";
import { mergeDeadLetter } from "./merge-dead-letter.ts";

const id = "j01jd5k8x0abcdefghjkmnpqrstvwxyz01";

function letterOf(failedAt: string, code: string, starts: string[]): DeadLetter {
  const lines = starts.map((at) => `{"start":{"at_ms":${Date.parse(at)},"worker":"w1"}}\n`);
  return describeFailedJob(
    id,
    { name: "{infer.a.b}", model: "a:latest" },
    {
      data: "{}",
      timestamp: String(Date.parse("2026-01-31T07:00:00.000Z")),
      finishedOn: String(Date.parse(failedAt)),
      failedReason: `${code}: it broke`,
      starts: lines.join(""),
    },
  );
}
const first = letterOf("2026-01-31T08:00:00.000Z", "backend_reset", ["2026-01-31T07:59:00.000Z"]);
const second = letterOf("2026-01-31T09:00:00.000Z", "out_of_memory", [
  "2026-01-31T07:59:00.000Z",
  "2026-01-31T08:59:00.000Z",
]);

test("a letter that fails again is dead again, with the new failure and the old history", () => {
  const merged = mergeDeadLetter({ ...first, state: "redriven", redrives: 1 }, second);
  expect(merged).toEqual({ ...second, state: "dead", redrives: 1, first_failed_at: first.first_failed_at });
});

test("starts known only to the letter stay in front of those of a job that was made anew", () => {
  const anew = letterOf("2026-01-31T09:00:00.000Z", "out_of_memory", ["2026-01-31T08:59:00.000Z"]);
  expect(mergeDeadLetter(first, anew).attempts.map(({ at }) => at)).toEqual([
    "2026-01-31T07:59:00.000Z",
    "2026-01-31T08:59:00.000Z",
  ]);
});

test("a second failure by a slow clock is the last one all the same", () => {
  const early = letterOf("2026-01-31T07:59:30.000Z", "out_of_memory", []);
  expect(mergeDeadLetter(first, early)).toMatchObject({
    first_failed_at: "2026-01-31T07:59:30.000Z",
    last_failed_at: "2026-01-31T07:59:30.000Z",
    failure: { code: "out_of_memory" },
  });
});
