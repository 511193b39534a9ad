import type { z } from "zod";
import { formatPath } from "./field-error.ts";
import { Problem } from "./problem.ts";

/** Enough to mend a request by. */
const errorsMax = 50;

/** A body parsed by its schema. Throws Problem with every mistake; unknown fields are named. */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: "is not a known field" }))
      : [{ path: formatPath(issue.path), message: issue.message.replace(/^Invalid (input|option): /, "") }],
  );
  const [first] = errors;
  const detail = first ? `${first.path || "The body"} ${first.message}.` : "The body cannot be accepted.";
  throw new Problem("invalid_body", detail, { errors: errors.slice(0, errorsMax) });
}
