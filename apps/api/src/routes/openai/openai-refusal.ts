import type { Failure } from "@forebay/queue-contracts";
import { jsonResponse } from "../../http/json-response.ts";
import type { Problem } from "../../http/problem.ts";
import { problemCodes } from "../../http/problem-codes.ts";

type RefusalExtras = {
  param?: string | undefined;
  code?: string | undefined;
  retryAfterS?: number | undefined;
  /** Sent as they are. */
  headers?: Readonly<Record<string, string>> | undefined;
};

/** A request refused in OpenAI's way. */
export class OpenaiRefusal extends Error {
  readonly status: number;
  readonly extras: RefusalExtras;
  constructor(status: number, message: string, extras: RefusalExtras = {}) {
    super(message);
    this.status = status;
    this.extras = extras;
  }
}

/** Longest Retry-After the official SDKs obey; a longer one they ignore, and come back after a second. */
const retryAfterMaxS = 60;

export function errorBody(refusal: OpenaiRefusal): object {
  const { status, message } = refusal;
  const { param = null, code = null } = refusal.extras;
  return { error: { message, type: typeOf(status), param, code } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}

/** By themselves, unless told not to. */
const repeatedBySdks = (status: number): boolean => [408, 409, 429].includes(status) || status >= 500;

export function refusalResponse(refusal: OpenaiRefusal): Response {
  const { status } = refusal;
  const { retryAfterS } = refusal.extras;
  const headers: Record<string, string> = { ...refusal.extras.headers };
  if (retryAfterS !== undefined && retryAfterS <= retryAfterMaxS)
    headers["retry-after"] = String(retryAfterS);
  else if (repeatedBySdks(status)) headers["x-should-retry"] = "false";
  return jsonResponse(status, errorBody(refusal), headers);
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

/** How a job ended without a result, as OpenAI would say it. */
export function refusalOfFailure({ code, message }: Failure): OpenaiRefusal {
  switch (code) {
    case "model_not_found":
      return new OpenaiRefusal(404, message, { code, param: "model" });
    case "context_too_long":
      return new OpenaiRefusal(400, message, { code: "context_length_exceeded", param: "messages" });
    case "invalid_request":
    case "invalid_payload":
    case "unsupported_capability":
      return new OpenaiRefusal(400, message, { code });
    case "cancelled":
      return new OpenaiRefusal(499, message, { code });
    case "backend_overloaded":
    case "backend_unavailable":
    case "expired":
      return new OpenaiRefusal(503, message, { code });
    default:
      return new OpenaiRefusal(500, message, { code });
  }
}
