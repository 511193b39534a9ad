import { errorBody, OpenaiRefusal, refusalOfFailure } from "@forebay/openai-format";
import { type FailureCode, failureCodes } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { Problem, type ProblemExtras } from "../../http/problem.ts";
import type { ProblemCode } from "../../http/problem-codes.ts";
import { refusalOfProblem, refusalResponse } from "./openai-refusal.ts";

const describeRefusal = (refusal: OpenaiRefusal) => {
  const { error } = errorBody(refusal) as { error: Record<string, unknown> };
  return [refusal.status, error["type"], error["code"], error["param"]];
};

const path = (name: string): ProblemExtras => ({ errors: [{ path: name, message: "is wrong" }] });
test.each<[ProblemCode, ProblemExtras, unknown[]]>([
  ["unauthorized", {}, [401, "authentication_error", "invalid_api_key", null]],
  ["forbidden", path("lane"), [403, "permission_error", "forbidden", "lane"]],
  ["not_found", {}, [404, "not_found_error", "not_found", null]],
  ["model_not_found", path("model"), [404, "not_found_error", "model_not_found", "model"]],
  ["invalid_body", path("messages"), [400, "invalid_request_error", null, "messages"]],
  ["nested_too_deep", {}, [400, "invalid_request_error", null, null]],
  ["body_too_large", {}, [413, "invalid_request_error", "body_too_large", null]],
  ["too_many_open_jobs", {}, [429, "rate_limit_error", "rate_limit_exceeded", null]],
  ["backlog_full", {}, [503, "api_error", "backlog_full", null]],
  ["internal_error", {}, [500, "api_error", "internal_error", null]],
])("a request refused as %s is %j", (code, extras, expected) => {
  expect(describeRefusal(refusalOfProblem(new Problem(code, "No.", extras)))).toEqual(expected);
});

test.each([
  ["model_not_found", [404, "not_found_error", "model_not_found", "model"]],
  ["context_too_long", [400, "invalid_request_error", "context_length_exceeded", "messages"]],
  ["unsupported_capability", [400, "invalid_request_error", "unsupported_capability", null]],
  ["cancelled", [499, "invalid_request_error", "cancelled", null]],
  ["backend_unavailable", [503, "api_error", "backend_unavailable", null]],
  ["expired", [503, "api_error", "expired", null]],
  ["poison_job", [500, "api_error", "poison_job", null]],
] as const)("a job failed with %s is %j", (code, expected) => {
  expect(describeRefusal(refusalOfFailure({ code, message: "It broke." }))).toEqual(expected);
});

test.each(Object.keys(failureCodes) as FailureCode[])(
  "a job failed with %s is not tried again by an SDK: it has been",
  (code) => {
    const response = refusalResponse(refusalOfFailure({ code, message: "It broke." }));
    const repeated = [408, 409, 429].includes(response.status) || response.status >= 500;
    expect(response.headers.get("x-should-retry")).toBe(repeated ? "false" : null);
  },
);

test.each([
  // status, Retry-After given → sent, x-should-retry
  [429, 7, "7", null],
  [503, 60, "60", null],
  [503, 61, null, "false"],
  [429, undefined, null, "false"],
  [409, undefined, null, "false"],
  [400, undefined, null, null],
])("%d with a wait of %s says %s, and retry %s", (status, retryAfterS, after, should) => {
  const { headers } = refusalResponse(new OpenaiRefusal(status, "No.", { retryAfterS }));
  expect([headers.get("retry-after"), headers.get("x-should-retry")]).toEqual([after, should]);
});
