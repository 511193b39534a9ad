import type { Reply } from "./endpoint.ts";
import type { FieldError } from "./field-error.ts";
import { type ProblemCode, problemCodes } from "./problem-codes.ts";

export type ProblemExtras = {
  /** What is wrong with which field of the body, or parameter of the query. */
  errors?: readonly FieldError[];
  job_id?: string;
  /** Sent as Retry-After. */
  retryAfterS?: number;
  headers?: Readonly<Record<string, string>>;
  /** Further members of the body. */
  members?: Readonly<Record<string, unknown>>;
};

/** A request refused: thrown anywhere below a route, answered as RFC 9457 says. `message` is the detail. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.extras = extras;
  }
}

export function problemResponse(problem: Problem, requestId: string): Response {
  const { status, headers, body } = problemReply(problem, requestId);
  return new Response(body, { status, headers });
}

export function problemReply(problem: Problem, requestId: string): Reply {
  const { status, title } = problemCodes[problem.code];
  const { errors, job_id, retryAfterS, headers, members } = problem.extras;
  const body = {
    type: `urn:forebay:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    ...(job_id !== undefined && { job_id }),
    ...(errors && { errors }),
    ...members,
    request_id: requestId,
  };
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(retryAfterS !== undefined && { "retry-after": String(retryAfterS) }),
      ...headers,
    },
    body: JSON.stringify(body),
  };
}
