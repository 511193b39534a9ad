import { type FieldError, ForebayError, OffsetLostError } from "./errors.ts";
import { parseRetryAfter } from "./retry-policy.ts";

type Problem = {
  code?: unknown;
  detail?: unknown;
  title?: unknown;
  errors?: FieldError[];
  job_id?: string;
  request_id?: string;
};

/** The error an answer stands for that is not the wanted one. */
export async function readProblem(response: Response): Promise<ForebayError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  const { status } = response;
  const code = typeof problem.code === "string" ? problem.code : `http_${status}`;
  const detail = [problem.detail, problem.title].find((each) => typeof each === "string");
  const details = {
    status,
    errors: problem.errors,
    retryAfterS: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
    requestId: problem.request_id ?? response.headers.get("x-request-id") ?? undefined,
    jobId: problem.job_id,
  };
  const message = detail ?? `The server answered ${status} without saying why.`;
  return code === "offset_lost"
    ? new OffsetLostError(message, details)
    : new ForebayError(message, { ...details, code });
}

/** What stands in between (a proxy, say) may answer with anything. */
function parseProblem(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
