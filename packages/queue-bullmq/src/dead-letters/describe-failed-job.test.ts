import { expect, test } from "vitest";
import { deadLetterSchema } from "@forebay/queue-contracts";
import { describeFailedJob, leavesDeadLetter } from "./describe-failed-job.ts";

const id = "j01jd5k8x0abcdefghjkmnpqrstvwxyz01";
const queue = { name: "{infer.llama3.2_3b.abcdefgh}", model: "llama3.2:3b" };
const failedOn = Date.parse("2026-01-31T08:00:10.000Z");
const payload = {
  v: 1,
  type: "generate",
  tenant: "acme",
  lane: "batch",
  model: "llama3.2:3b",
  request: { prompt: "hello" },
};
const hash = {
  data: JSON.stringify(payload),
  timestamp: String(failedOn - 10_000),
  finishedOn: String(failedOn),
  failedReason: "backend_reset: the connection broke",
  stacktrace: JSON.stringify(["Error: one", "Error: two"]),
  atm: "2",
  starts: [
    `{"start":{"at_ms":${Date.parse("2026-01-31T08:00:01.000Z")},"worker":"w1"}}`,
    '{"backend":"gpu-1"}',
    '{"end":{"ended_at":"2026-01-31T08:00:02.000Z","outcome":"retry","gpu_ms":5,"code":"backend_reset","message":"the connection broke"}}',
    `{"start":{"at_ms":${Date.parse("2026-01-31T08:00:05.000Z")},"worker":"w2"}}`,
    "",
  ].join("\n"),
};

test("a dead letter holds all that is known of the failure", () => {
  const letter = describeFailedJob(id, queue, hash);
  expect(deadLetterSchema.parse(letter)).toEqual(letter);
  expect(letter).toMatchObject({
    job_id: id,
    state: "dead",
    queue: queue.name,
    tenant: "acme",
    type: "generate",
    model: "llama3.2:3b",
    lane: "batch",
    failure: { code: "backend_reset", message: "the connection broke" },
    stack: ["Error: one", "Error: two"],
    attempts_made: 2,
    worker: "w2",
    created_at: "2026-01-31T08:00:00.000Z",
    first_failed_at: "2026-01-31T08:00:10.000Z",
    last_failed_at: "2026-01-31T08:00:10.000Z",
    redrives: 0,
    payload,
  });
  expect(letter.attempts).toEqual([
    {
      at: "2026-01-31T08:00:01.000Z",
      worker: "w1",
      backend: "gpu-1",
      ended_at: "2026-01-31T08:00:02.000Z",
      outcome: "retry",
      gpu_ms: 5,
      code: "backend_reset",
      message: "the connection broke",
    },
    { at: "2026-01-31T08:00:05.000Z", worker: "w2" },
  ]);
});

test.each([
  ["JSON of another shape", '{"some":["thing"]}', { some: ["thing"] }],
  ["a JSON text", '"words"', "words"],
  ["no JSON", "{broken", "{broken"],
  ["null", "null", null],
  ["nothing", undefined, null],
  ["fields of wrong types", '{"tenant":7,"model":null}', { tenant: 7, model: null }],
])("a payload that does not parse is kept as it is: %s", (_, data, kept) => {
  const { data: _data, ...rest } = hash;
  const letter = describeFailedJob(id, queue, data === undefined ? rest : { ...rest, data });
  expect(letter).toMatchObject({ tenant: "unknown", type: "unknown", model: "llama3.2:3b", payload: kept });
  expect(deadLetterSchema.safeParse(letter).success).toBe(true);
});

test("damaged records of starts, stacks and times do not stop a dead letter", () => {
  const damaged = { ...hash, starts: "{", stacktrace: "{", timestamp: "soon", atm: "-1" };
  const letter = describeFailedJob(id, queue, damaged);
  expect(letter).toMatchObject({ attempts: [], stack: [], attempts_made: 0, worker: null });
  expect(deadLetterSchema.safeParse(letter).success).toBe(true);
});

test.each([
  ["failed", hash, true],
  ["timed out", { ...hash, failedReason: "timed_out: ran longer than 5 s" }, true],
  ["failed in words of BullMQ", { ...hash, failedReason: "job stalled more than allowable limit" }, true],
  ["cancelled", { ...hash, failedReason: "cancelled: cancelled on request" }, false],
  ["expired", { ...hash, failedReason: "expired: too late" }, false],
  ["completed", { finishedOn: "1", returnvalue: "{}" }, false],
  ["waiting again", { data: "{}", failedReason: "backend_reset: the connection broke" }, false],
  ["gone", {}, false],
])("a job that is %s: %#", (_, of, leaves) => {
  expect(leavesDeadLetter(of)).toBe(leaves);
});
