import { expect, test } from "vitest";
import type { Delivery } from "@forebay/queue-bullmq";
import type { InferenceJob } from "@forebay/queue-contracts";
import { refuseStart, remainingMs, stoppedOutcome } from "./refuse-start.ts";

const now = Date.parse("2026-11-21T10:00:00.000Z");
const startedBefore = (ms: number) => ({ at: new Date(now - ms).toISOString(), worker: "w" });

const delivery = (fields: Partial<Delivery> = {}): Delivery =>
  ({
    startedAt: new Date(now),
    earlierStarts: [],
    putBack: false,
    signal: new AbortController().signal,
    ...fields,
  }) as Delivery;
const job = (times: Pick<InferenceJob, "start_by" | "timeout_s">): InferenceJob => times as InferenceJob;

test.each([
  ["no deadlines: it starts", job({}), delivery(), undefined],
  ["in time: it starts", job({ start_by: now }), delivery(), undefined],
  ["too late: it expires", job({ start_by: now - 1 }), delivery(), "expired"],
  [
    "begun in time, tried again later: it goes on",
    job({ start_by: now - 1 }),
    delivery({ earlierStarts: [startedBefore(5)] }),
    undefined,
  ],
  ["put back by hand: it starts", job({ start_by: now - 1 }), delivery({ putBack: true }), undefined],
  [
    "time used up by earlier tries: it is over",
    job({ timeout_s: 1 }),
    delivery({ earlierStarts: [startedBefore(1_000)] }),
    "timed_out",
  ],
  [
    "asked to stop while nobody ran it: it is cancelled",
    job({}),
    delivery({ signal: AbortSignal.abort("cancelled") }),
    "cancelled",
  ],
])("%s", (_, submitted, delivered, code) => {
  const outcome = refuseStart(submitted, delivered);
  expect(outcome && "failure" in outcome ? outcome.failure?.code : undefined).toBe(code);
});

test("the time left runs from the first start", () => {
  expect(remainingMs(job({}), delivery())).toBeUndefined();
  expect(remainingMs(job({ timeout_s: 2 }), delivery())).toBe(2_000);
  const tries = delivery({ earlierStarts: [startedBefore(1_500), startedBefore(100)] });
  expect(remainingMs(job({ timeout_s: 2 }), tries)).toBe(500);
});

test.each([
  ["cancelled", "discard"],
  ["timed_out", "discard"],
  ["shutdown", "interrupted"],
  ["lock_lost", "interrupted"],
])("stopped because of %s → %s", (reason, kind) => {
  expect(stoppedOutcome(reason).kind).toBe(kind);
});
