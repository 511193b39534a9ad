import { errorBody, OpenaiRefusal } from "@forebay/openai-format";
import { jsonResponse } from "../../http/json-response.ts";
import type { Problem } from "../../http/problem.ts";
import { problemCodes } from "../../http/problem-codes.ts";

/** Longest Retry-After the official SDKs obey; a longer one they ignore, and come back after a second. */
const retryAfterMaxS = 60;

/** By themselves, unless told not to. */
const repeatedBySdks = (status: number): boolean => [408, 409, 429].includes(status) || status >= 500;

export function refusalResponse(refusal: OpenaiRefusal): Response {
  return jsonResponse(refusal.status, errorBody(refusal), retryHeaders(refusal));
}

/** Whether, and when, to come back. */
export function retryHeaders(refusal: OpenaiRefusal): Record<string, string> {
  const { status } = refusal;
  const { retryAfterS } = refusal.extras;
  const headers: Record<string, string> = { ...refusal.extras.headers };
  if (retryAfterS !== undefined && retryAfterS <= retryAfterMaxS)
    headers["retry-after"] = String(retryAfterS);
  else if (repeatedBySdks(status)) headers["x-should-retry"] = "false";
  return headers;
}

/** What kept a job from being accepted, as OpenAI would say it. */
export function refusalOfProblem(problem: Problem): OpenaiRefusal {
  const { retryAfterS, errors, headers } = problem.extras;
  const param = errors?.[0]?.path;
  switch (problem.code) {
    case "unauthorized":
      return new OpenaiRefusal(401, problem.message, { code: "invalid_api_key", headers });
    case "model_not_found":
      return new OpenaiRefusal(404, problem.message, { code: "model_not_found", param: "model" });
    case "rate_limited":
    case "too_many_open_jobs":
      return new OpenaiRefusal(429, problem.message, {
        code: "rate_limit_exceeded",
        retryAfterS,
        headers,
      });
    case "nested_too_deep":
    case "invalid_body":
      return new OpenaiRefusal(400, problem.message, { param });
    default:
      return new OpenaiRefusal(problemCodes[problem.code].status, problem.message, {
        code: problem.code,
        param,
        retryAfterS,
        headers,
      });
  }
}
