import { ConnectionError, ForebayError, type JobView } from "@forebay/client";
import { describe, expect, test } from "vitest";
import { describeProblem } from "../src/routes/playground/page/describe-problem.ts";
import { describeResult } from "../src/routes/playground/page/describe-result.ts";
import { figuresOf } from "../src/routes/playground/page/figures.ts";
import { readJobForm } from "../src/routes/playground/page/read-job-form.ts";
import { formatDuration, timelineOf } from "../src/routes/playground/page/timeline.ts";

const job: JobView = {
  job_id: "j1",
  state: "waiting",
  type: "generate",
  model: "llama3.2:3b",
  lane: "standard",
  created_at: "2026-01-02T03:00:00.000Z",
  started_at: null,
  finished_at: null,
  queue_position: 2,
  waiting_for: null,
  run_at: null,
  eta_s: null,
  eta_range_s: null,
  progress: { tokens: 0, percent: null },
  attempts_made: 0,
  attempts_max: 3,
  timeline: [],
  result: null,
  usage: null,
  error: null,
  metadata: {},
  links: { self: "", events: "", cancel: "" },
};
const nowMs = Date.parse("2026-01-02T03:00:05.000Z");
const result = {
  model: "llama3.2:3b",
  total_duration_ms: 3_000,
  load_duration_ms: 0,
  prompt_eval_count: 5,
  done_reason: "length",
  eval_count: 120,
  prompt_eval_duration_ms: 10,
  eval_duration_ms: 2_000,
  response: "Because.",
};
const started = {
  ...job,
  state: "active" as const,
  queue_position: null,
  started_at: "2026-01-02T03:00:02.000Z",
};

describe("the numbers of a job are those that say something in its state", () => {
  test.each<[string, JobView, string[]]>([
    ["waiting", job, ["llama3.2:3b", "2 before it", "5.00 s"]],
    ["foretold", { ...job, eta_s: 42 }, ["llama3.2:3b", "2 before it", "in ~42 s", "5.00 s"]],
    [
      "behind its own",
      { ...job, queue_position: null, waiting_for: "running_limit", eta_s: null },
      ["llama3.2:3b", "until another job of the tenant ends", "5.00 s"],
    ],
    ["next", { ...job, queue_position: 0 }, ["llama3.2:3b", "next", "5.00 s"]],
    ["loading", started, ["llama3.2:3b", "2.00 s", "3.00 s"]],
    [
      "running",
      { ...started, progress: { tokens: 30, percent: null } },
      ["llama3.2:3b", "30", "41.2", "2.00 s", "3.00 s"],
    ],
    [
      "completed",
      {
        ...started,
        state: "completed",
        finished_at: "2026-01-02T03:00:04.000Z",
        progress: { tokens: 120, percent: null },
        result,
      },
      ["llama3.2:3b", "120", "60.0", "2.00 s", "2.00 s", "at the limit"],
    ],
    [
      "expired",
      { ...job, state: "expired", finished_at: "2026-01-02T03:00:01.000Z" },
      ["llama3.2:3b", "1.00 s"],
    ],
  ])("%s", (_, view, expected) => {
    const tokensPerS = view.progress.tokens > 0 ? 41.23 : undefined;
    expect(figuresOf(view, { nowMs, tokensPerS }).map(({ value }) => value)).toEqual(expected);
  });
});

test.each([
  [0, "0 s"],
  [-50, "0 s"],
  [4, "0 s"],
  [350, "0.35 s"],
  [12_340, "12.3 s"],
  [59_990, "60.0 s"],
  [185_000, "3 min 05 s"],
])("%d ms is %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("the timeline tells states, hosts and failed tries in their order", () => {
  const at = (second: number): string => `2026-01-02T03:00:0${second}.000Z`;
  const failed = {
    ...job,
    timeline: [
      { at: at(0), state: "waiting" as const },
      { at: at(1), state: "active" as const, backend: "gpu-1" },
      { at: at(4), state: "timed_out" as const },
    ],
    error: {
      code: "timed_out" as const,
      message: "",
      retryable: true,
      attempts: [{ at: at(3), code: "backend_reset", message: "broke" }],
    },
  };
  expect(timelineOf(failed).map(({ text }) => text)).toEqual([
    "waiting",
    "active on gpu-1",
    "a try failed: broke (backend_reset)",
    "timed out",
  ]);
});

test("only what was filled in is submitted", () => {
  expect(
    readJobForm({ model: "m", prompt: "p", system: " ", lane: "", num_predict: "", temperature: "" }),
  ).toEqual({
    model: "m",
    prompt: "p",
  });
  expect(
    readJobForm({ model: "m", prompt: "p", system: "s", lane: "batch", num_predict: "5", temperature: "0" }),
  ).toEqual({
    model: "m",
    prompt: "p",
    system: "s",
    lane: "batch",
    options: { num_predict: 5, temperature: 0 },
  });
});

describe("what a result holds beside streamed text", () => {
  const vectors = { ...result, embeddings: [[1, 2, 3]] };
  const call = { function: { name: "f", arguments: {} } };
  const chat = { ...result, message: { role: "assistant", content: "", tool_calls: [call] } };
  test.each<[string, JobView["result"], boolean, string]>([
    ["nothing, when the text was streamed", result, true, ""],
    ["the text, when it was not", result, false, "Because."],
    ["tool calls", chat, false, JSON.stringify(call, undefined, 2)],
    ["vectors", vectors, false, "1 vector of 3 numbers:\n[1, 2, 3]"],
    ["nothing, when there is none", null, false, ""],
  ])("%s", (_, given, shown, expected) => {
    expect(describeResult(given, shown)).toBe(expected);
  });
});

describe("an error is told with what to do about it", () => {
  test.each<[unknown, string, string]>([
    [new ConnectionError("x cannot be reached"), "The server cannot be reached", "Is the server running"],
    [
      new ForebayError("No.", { status: 401, code: "unauthorized" }),
      "This key does not open",
      "forebay keys create",
    ],
    [new ForebayError("Full.", { status: 503, code: "backlog_full", retryAfterS: 7 }), "refused", "wait 7 s"],
    [new ForebayError("New.", { status: 502, code: "http_502" }), "refused", "Try again in a moment"],
    [new ForebayError("New.", { status: 400, code: "of_the_future" }), "refused", "Change the request"],
    [new TypeError("x is undefined"), "Something went wrong", "fault of this page"],
  ])("%s", (error, title, advice) => {
    const described = describeProblem(error);
    expect(described.title).toContain(title);
    expect(described.advice).toContain(advice);
  });

  test("several wrong fields are listed, one is in the detail already", () => {
    const errors = [
      { path: "model", message: "is wrong" },
      { path: "options.seed", message: "is wrong" },
    ];
    const refused = (count: number): ForebayError =>
      new ForebayError("model is wrong.", {
        status: 422,
        code: "invalid_body",
        errors: errors.slice(0, count),
      });
    expect(describeProblem(refused(2)).fields).toEqual(["model is wrong", "options.seed is wrong"]);
    expect(describeProblem(refused(1)).fields).toEqual([]);
  });
});
