import type { JobView } from "@forebay/client";
import { describe, expect, test } from "vitest";
import { formatSeconds } from "../format-seconds.ts";
import { describeEnd, describeProgress, type LiveFigures } from "./progress.ts";

const waiting: JobView = {
  job_id: "j1",
  state: "waiting",
  type: "generate",
  model: "llama3.2:3b",
  lane: "standard",
  created_at: "2026-01-02T03:00:00.000Z",
  started_at: null,
  finished_at: null,
  queue_position: 3,
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
const active: JobView = {
  ...waiting,
  state: "active",
  queue_position: null,
  started_at: "2026-01-02T03:00:08.000Z",
  timeline: [{ at: "2026-01-02T03:00:08.000Z", state: "active", backend: "gpu-1" }],
};
const nowMs = Date.parse("2026-01-02T03:00:10.000Z");
const none: LiveFigures = { tokens: 0, tokensPerS: undefined, tokensMax: undefined };

describe("the line of progress", () => {
  test.each<[string, JobView, Partial<LiveFigures>, string]>([
    ["counts those before it", waiting, {}, "waiting, 3 before it · 10 s"],
    [
      "foretells its start",
      { ...waiting, eta_s: 42 },
      {},
      "waiting, 3 before it · starts in about 42 s · 10 s",
    ],
    [
      "says that another one has to end first",
      { ...waiting, queue_position: null, waiting_for: "running_limit", eta_s: null },
      {},
      "waiting for another job of its tenant to end · 10 s",
    ],
    ["says that it is next", { ...waiting, queue_position: 0 }, {}, "waiting, next · 10 s"],
    [
      "says when it begins",
      { ...waiting, state: "delayed", run_at: "2026-01-02T04:00:00.000Z" },
      {},
      "delayed until 2026-01-02T04:00:00.000Z",
    ],
    ["says that it will be tried again", { ...waiting, state: "delayed" }, {}, "waiting for its next try"],
    ["waits for the first token", active, {}, "active on gpu-1 · no token yet · 2.0 s"],
    ["counts tokens", active, { tokens: 5 }, "active on gpu-1 · 5 tokens · 2.0 s"],
    [
      "tells the speed",
      active,
      { tokens: 50, tokensPerS: 25 },
      "active on gpu-1 · 50 tokens · 25.0 tokens/s · 2.0 s",
    ],
    [
      "tells when it may be done, where a limit is known",
      active,
      { tokens: 50, tokensPerS: 25, tokensMax: 300 },
      "active on gpu-1 · 50/300 tokens · 25.0 tokens/s · ETA 10 s · 2.0 s",
    ],
    [
      "knows that a negative limit is none",
      active,
      { tokens: 50, tokensPerS: 25, tokensMax: -1 },
      "active on gpu-1 · 50 tokens · 25.0 tokens/s · 2.0 s",
    ],
    [
      "promises nothing while nothing moves",
      active,
      { tokens: 50, tokensPerS: 0, tokensMax: 300 },
      "active on gpu-1 · 50/300 tokens · 0.0 tokens/s · 2.0 s",
    ],
  ])("%s", (_, job, live, expected) => {
    expect(describeProgress(job, { ...none, ...live }, nowMs)).toBe(expected);
  });
});

test("a completed job is summed up by Ollama's own clock", () => {
  const result = {
    response: "",
    model: "m",
    total_duration_ms: 0,
    load_duration_ms: 0,
    prompt_eval_count: 1,
    prompt_eval_duration_ms: 0,
    done_reason: "length",
    eval_count: 100,
    eval_duration_ms: 2_000,
  };
  const job: JobView = { ...active, state: "completed", finished_at: "2026-01-02T03:00:12.000Z", result };
  expect(describeEnd(job)).toBe("completed in 12 s · 100 tokens · 50.0 tokens/s · cut at the limit");
});

test.each([
  [-1, "0.0 s"],
  [9_949, "9.9 s"],
  [9_950, "10 s"],
  [59_499, "59 s"],
  [59_600, "1 min 00 s"],
  [125_000, "2 min 05 s"],
])("%d ms is %s", (ms, text) => {
  expect(formatSeconds(ms)).toBe(text);
});
