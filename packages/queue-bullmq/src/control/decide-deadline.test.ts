import { expect, test } from "vitest";
import type { InferenceJob } from "@forebay/queue-contracts";
import { decideDeadline } from "./decide-deadline.ts";

const now = Date.parse("2026-11-21T10:00:00.000Z");
const startedAt = (ms: number) => ({ at: new Date(now + ms).toISOString(), worker: "w" });

type Input = Parameters<typeof decideDeadline>[0];
const job = (fields: Partial<Input>, times: Pick<InferenceJob, "start_by" | "timeout_s"> = {}): Input => ({
  state: "waiting",
  stop: undefined,
  sinceFresh: [],
  putBack: false,
  job: times as InferenceJob,
  ...fields,
});

test.each<[string, Input, ReturnType<typeof decideDeadline>]>([
  ["one that ended has no deadline", job({ state: "completed" }, { timeout_s: 1 }), { kind: "forget" }],
  ["one without deadlines has none", job({}), { kind: "forget" }],
  ["not begun in time, it expires", job({}, { start_by: now }), { kind: "end", as: "expired" }],
  ["it has until then", job({}, { start_by: now + 1 }), { kind: "wait", untilMs: now + 1 }],
  [
    "begun once, it does not expire while it waits for its next try",
    job({ sinceFresh: [startedAt(-10)] }, { start_by: now - 5 }),
    { kind: "forget" },
  ],
  ["put back by hand, it does not expire", job({ putBack: true }, { start_by: now - 5 }), { kind: "forget" }],
  [
    "its time runs from its first start, over all tries",
    job({ state: "delayed", sinceFresh: [startedAt(-1_000), startedAt(-100)] }, { timeout_s: 1 }),
    { kind: "end", as: "timed_out" },
  ],
  [
    "it has until then",
    job({ state: "active", sinceFresh: [startedAt(-400)] }, { timeout_s: 1 }),
    { kind: "wait", untilMs: now + 600 },
  ],
  [
    "somebody wants it stopped",
    job({ state: "active", stop: "cancelled" }),
    { kind: "end", as: "cancelled" },
  ],
])("%s", (_, input, decision) => {
  expect(decideDeadline(input, now)).toEqual(decision);
});
