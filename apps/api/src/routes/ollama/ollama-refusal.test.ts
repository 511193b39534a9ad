import { expect, test } from "vitest";
import { Problem } from "../../http/problem.ts";
import { refusalOfFailure, refusalOfProblem } from "./ollama-refusal.ts";

/** Two spaces: Ollama's own words. */
const busy = "server busy, please try again.  maximum pending requests exceeded";

test.each([
  ["model_not_found", 404, "model 'm' not found"],
  ["too_many_open_jobs", 503, busy],
  ["backlog_full", 503, busy],
  ["storage_full", 503, busy],
  ["no_workers", 503, busy],
  ["unauthorized", 401, "No."],
  ["invalid_body", 400, "No."],
  ["nested_too_deep", 400, "No."],
  ["body_too_large", 413, "No."],
  ["queue_unavailable", 503, "No."],
] as const)("a request refused as %s is %d %s", (code, status, message) => {
  expect(refusalOfProblem(new Problem(code, "No."), "m")).toMatchObject({ status, message });
});

test("how long to wait, and other headers, are passed on", () => {
  const extras = { retryAfterS: 9, headers: { "www-authenticate": "Bearer" } };
  expect(refusalOfProblem(new Problem("backlog_full", "No.", extras), "m").headers).toEqual({
    "retry-after": "9",
    "www-authenticate": "Bearer",
  });
});

test.each([
  ["model_not_found", 404, "model 'm' not found"],
  ["invalid_request", 400, "It broke."],
  ["unsupported_capability", 400, "It broke."],
  ["context_too_long", 400, "It broke."],
  ["cancelled", 499, "request canceled"],
  ["backend_overloaded", 503, busy],
  ["backend_unavailable", 503, busy],
  ["expired", 503, busy],
  ["runner_crashed", 500, "runner_crashed: It broke."],
  ["timed_out", 500, "timed_out: It broke."],
] as const)("a job failed with %s is %d %s", (code, status, message) => {
  expect(refusalOfFailure({ code, message: "It broke." }, "m")).toMatchObject({ status, message });
});
