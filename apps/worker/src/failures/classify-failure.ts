import type { CallFailure } from "../ollama/call-failure.ts";
import type { Classification } from "./classification.ts";
import { errorText, firstClause } from "./error-text.ts";
import { messageRules } from "./message-rules.ts";

/** A host that restarts or hangs is not the job's fault. Where it happens to a job again and again, it may be. */
const resetsFreeMax = 5;
const stuckFreeMax = 2;

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EHOSTDOWN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * The failure table of Ollama as a pure function. Order of the rules: the socket's code, an error line within
 * the stream, a missing end, the text of the message, and the status only when nothing else speaks, since
 * Ollama reports permanent faults as 500 and passing ones as 400.
 */
export function classifyFailure(failure: CallFailure): Classification {
  switch (failure.kind) {
    case "socket":
      return classifySocket(failure.code);
    case "in_band":
      return byMessage(failure.message) ?? crashed(`generation broke off: ${clauseOf(failure.message)}`);
    case "unfinished":
      return {
        code: "truncated_answer",
        message: "the stream ended without its last line",
        disposition: "retry",
        retriesMax: 1,
        breaker: "none",
      };
    case "garbage":
      return failure.begun ? broken("the answer broke off in the middle of a line") : foreignAnswer;
    case "too_long":
      return {
        code: "invalid_request",
        message: `the answer has a line of more than ${failure.limitBytes} bytes; ask for less at once`,
        disposition: "discard",
        breaker: "none",
      };
    case "empty":
      return classifyEmpty(failure);
    case "silence":
      return {
        code: "backend_stuck",
        message: `no ${failure.phase === "first_byte" ? "first byte" : "token"} within ${failure.limitMs / 1_000} s`,
        disposition: "free",
        freeMax: stuckFreeMax,
        delayMs: [100, 1_000],
        breaker: "stuck",
      };
    case "status":
      return byMessage(failure.body) ?? byStatus(failure.status, failure.body);
  }
}

function classifySocket(code: string): Classification {
  if (unreachable.has(code)) {
    return {
      code: "backend_unavailable",
      message: `the backend cannot be reached (${code})`,
      disposition: "free",
      delayMs: [1_000, 30_000],
      breaker: "down",
    };
  }
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    // Our own client's limits, which are off; should a library bring them back, they say nothing about the
    // host: Ollama may be silent for longer than that while it loads.
    return { code: "backend_stuck", message: `silence (${code})`, disposition: "retry", breaker: "none" };
  }
  return broken(`the connection broke (${code})`);
}

function classifyEmpty(failure: CallFailure & { kind: "empty" }): Classification {
  if (failure.doneReason === "load" || failure.doneReason === "unload") {
    return {
      code: "invalid_request",
      message: "an empty prompt only loads the model",
      disposition: "discard",
      breaker: "none",
    };
  }
  if (failure.thought && failure.doneReason === "length") {
    return {
      code: "empty_answer",
      message: "all tokens went into thinking; raise num_predict",
      disposition: "discard",
      breaker: "none",
    };
  }
  return {
    code: "empty_answer",
    message: "the model ended without an answer",
    disposition: "retry",
    retriesMax: 1,
    breaker: "none",
  };
}

function byMessage(body: string): Classification | undefined {
  const text = errorText(body);
  const rule = messageRules.find(({ pattern }) => pattern.test(text));
  if (!rule) return undefined;
  const { pattern: _pattern, clauseOnly, message, ...classification } = rule;
  return { ...classification, message: message ?? (clauseOnly ? firstClause(text) : text) };
}

/** What may be said of a text no rule knows. */
const clauseOf = (body: string): string => firstClause(errorText(body)) || "no reason given";

function byStatus(status: number, body: string): Classification {
  const said = `status ${status}: ${clauseOf(body)}`;
  if (status === 401 || (status === 403 && body.trim() !== "")) {
    return { code: "backend_unauthorized", message: said, disposition: "discard", breaker: "none" };
  }
  // Redirects too: Ollama sends none.
  if (status < 400 || status === 403 || status === 404 || status === 405) {
    return { code: "backend_misconfigured", message: said, disposition: "discard", breaker: "none" };
  }
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return {
      code: "backend_overloaded",
      message: said,
      disposition: "retry",
      delayMs: [5_000, 60_000],
      breaker: "model",
    };
  }
  // The connection was closed on our side of some proxy: nothing is known about the job or the model.
  if (status === 499 || status === 408) return broken(said);
  if (status >= 500) return crashed(said);
  return { code: "invalid_request", message: said, disposition: "discard", breaker: "none" };
}

const foreignAnswer: Classification = {
  code: "backend_misconfigured",
  message: "the answer is not Ollama's: is something else listening at this address?",
  disposition: "discard",
  breaker: "none",
};

function broken(message: string): Classification {
  return {
    code: "backend_reset",
    message,
    disposition: "free",
    freeMax: resetsFreeMax,
    delayMs: [2_000, 10_000],
    breaker: "reset",
  };
}

/** The next request starts a new runner, so a crash is worth a second try; two crashes are the job's doing. */
function crashed(message: string): Classification {
  return {
    code: "runner_crashed",
    message,
    disposition: "retry",
    retriesMax: 2,
    delayMs: [5_000, 7_500],
    breaker: "crash",
  };
}
