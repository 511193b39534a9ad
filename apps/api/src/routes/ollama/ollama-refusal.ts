import type { Failure } from "@forebay/queue-contracts";
import type { Problem } from "../../http/problem.ts";
import { problemCodes } from "../../http/problem-codes.ts";

/** A request refused in Ollama's way: a status and one text. */
export class OllamaRefusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Ollama's own words, two spaces included: clients look for them. */
const busy = "server busy, please try again.  maximum pending requests exceeded";

/** What kept a job from being accepted, as Ollama would say it. */
export function refusalOfProblem(problem: Problem, model: string | undefined): OllamaRefusal {
  const { retryAfterS, headers: given } = problem.extras;
  const headers = { ...given, ...(retryAfterS !== undefined && { "retry-after": String(retryAfterS) }) };
  switch (problem.code) {
    case "model_not_found":
      return new OllamaRefusal(404, `model '${model ?? ""}' not found`);
    case "rate_limited":
    case "too_many_open_jobs":
    case "backlog_full":
    case "storage_full":
    case "no_workers":
      return new OllamaRefusal(503, busy, headers);
    case "invalid_body":
    case "nested_too_deep":
      return new OllamaRefusal(400, problem.message, headers);
    default:
      return new OllamaRefusal(problemCodes[problem.code].status, problem.message, headers);
  }
}

/** How a job ended without a result, as Ollama would say it. */
export function refusalOfFailure(failure: Failure, model: string): OllamaRefusal {
  switch (failure.code) {
    case "model_not_found":
      return new OllamaRefusal(404, `model '${model}' not found`);
    case "invalid_request":
    case "unsupported_capability":
    case "context_too_long":
    case "invalid_payload":
      return new OllamaRefusal(400, failure.message);
    case "cancelled":
      return new OllamaRefusal(499, "request canceled");
    case "backend_overloaded":
    case "backend_unavailable":
    case "expired":
      return new OllamaRefusal(503, busy);
    default:
      return new OllamaRefusal(500, `${failure.code}: ${failure.message}`);
  }
}
