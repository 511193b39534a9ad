import type { ProblemCode } from "../../http/problem-codes.ts";
import type { Operation } from "../../openapi/operation.ts";

/** What is said about one operation of operators. */
export function operatorOperation(
  method: Operation["method"],
  path: string,
  id: string,
  summary: string,
  rest: Pick<Operation, "answers" | "problems"> & Partial<Operation>,
): Operation {
  return { method, path, id, summary, tag: "operators", ...rest };
}

/** Of those that take a body. */
export const operatorBodyProblems: readonly ProblemCode[] = [
  "forbidden",
  "invalid_query",
  "malformed_body",
  "unsupported_media_type",
  "body_too_large",
  "invalid_body",
];
