import { findSchemaFault } from "@forebay/answer-format";
import type { InferenceJobType } from "@forebay/queue-contracts";
import type { z } from "zod";
import { type FieldError, formatPath } from "../../http/field-error.ts";
import { Problem } from "../../http/problem.ts";
import { type SubmitBody, submitBodySchemas } from "./submit-body.ts";

/** The field that makes a job one of this type. */
const leadingField = { generate: "prompt", chat: "messages", embed: "input" } as const;
const types = Object.keys(leadingField) as InferenceJobType[];

/** Fields that will mean something one day: silently taking them now would break a promise. */
const laterFields = new Set(["webhook"]);

/** Enough to mend a request by; a body of a million mistakes is not answered with as many lines. */
const errorsMax = 50;

/** The body of `POST /jobs`, typed. Throws Problem with every mistake and where it is. */
export function parseSubmission(body: unknown): SubmitBody {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Problem("invalid_body", "The body must be a JSON object.");
  }
  const type = typeOf(body);
  const parsed = submitBodySchemas[type].safeParse(body);
  if (parsed.success) return checkFormat({ ...parsed.data, type } as SubmitBody);
  throw invalidBody(parsed.error.issues.flatMap((issue) => errorsOf(issue, type)));
}

/** A schema that cannot be checked would fail the job after it has cost a GPU. */
function checkFormat(submission: SubmitBody): SubmitBody {
  const format = "format" in submission ? submission.format : undefined;
  const fault = format === undefined || format === "json" ? undefined : findSchemaFault(format);
  if (!fault) return submission;
  throw invalidBody([
    { path: fault.path === "" ? "format" : `format.${fault.path}`, message: fault.message },
  ]);
}

function typeOf(body: object): InferenceJobType {
  if ("type" in body) {
    const named = types.find((type) => type === body.type);
    if (named) return named;
    throw invalidBody([{ path: "type", message: `must be one of ${types.join(", ")}` }]);
  }
  const shaped = types.filter((type) => leadingField[type] in body);
  if (shaped.length === 1 && shaped[0]) return shaped[0];
  const fields = Object.values(leadingField).join(", ");
  const message = shaped.length === 0 ? `one of ${fields} is required` : `only one of ${fields} may be given`;
  throw invalidBody([{ path: shaped[0] ? leadingField[shaped[0]] : "prompt", message }]);
}

function errorsOf(issue: z.core.$ZodIssue, type: InferenceJobType): FieldError[] {
  if (issue.code !== "unrecognized_keys") {
    return [{ path: formatPath(issue.path), message: issue.message.replace(/^Invalid input: /, "") }];
  }
  return issue.keys.map((key) => ({
    path: formatPath([...issue.path, key]),
    message: issue.path.length === 0 ? whyNot(key, type) : "is not a known field",
  }));
}

function whyNot(field: string, type: InferenceJobType): string {
  if (laterFields.has(field)) return "is not supported yet";
  const others = types.filter((other) => other !== type && field in submitBodySchemas[other].shape);
  return others.length === 0
    ? "is not a known field"
    : `is a field of ${others.join(" and ")} jobs, and this is a ${type} job`;
}

function invalidBody(errors: FieldError[]): Problem {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail = first ? `${first.path} ${first.message}${more}.` : "The body cannot be accepted.";
  return new Problem("invalid_body", detail, { errors: errors.slice(0, errorsMax) });
}
