import { ConnectionError, ForebayError, type Retry } from "@forebay/client";

/** A refusal as a person needs it: what happened, what to do about it, and what to tell the operator. */
export type DescribedProblem = {
  title: string;
  detail: string;
  advice: string;
  fields: string[];
  trace: string | undefined;
};

const advices: Readonly<Record<string, string>> = {
  unauthorized: "Enter a key that this server knows; an operator makes one with: forebay keys create.",
  forbidden: "Use another key, model or lane, or ask an operator what this key is for.",
  model_not_found: "Choose one of the listed models.",
  rate_limited: "Your tenant has used up a limit over time. Your text is still here: try again later.",
  too_many_open_jobs: "Wait until some of your jobs have ended, or cancel some.",
  backlog_full: "The server is busy. Your text is still here: try again in a moment.",
  storage_full: "The server is full. Your text is still here: try again in a moment, and tell the operator.",
  no_workers: "No worker is running that could answer. Tell the operator, or start one.",
  queue_unavailable: "The server has lost its queue and is waiting for it. Try again in a moment.",
  connection_failed: "Is the server running, and are you online? Your text is still here: try again.",
  job_not_found: "It may have been deleted, be too old, or belong to somebody else's key.",
  job_gone: "Submit it again.",
  already_finished: "Nothing: it is done.",
  job_active: "Cancel it first, or wait for it to end.",
  not_retryable: "Submit the prompt again as a new job.",
  body_too_large: "Shorten the prompt.",
  invalid_body: "Correct what is named and submit again.",
  internal_error: "Try again. If it stays, tell the operator the number below.",
  unexpected_answer: "Something between this page and the server answers in its place. Reload the page.",
};

const titles: Readonly<Record<string, string>> = {
  unauthorized: "This key does not open the door",
  forbidden: "This key may not do that",
  connection_failed: "The server cannot be reached",
  job_not_found: "This job cannot be shown",
};

export function describeRetry({ error, delayMs }: Retry): string {
  const what = error instanceof ConnectionError ? "The connection is lost." : error.detail;
  return `${what} Trying again in ${Math.ceil(delayMs / 1_000)} s.`;
}

export function describeProblem(error: unknown): DescribedProblem {
  if (!(error instanceof ForebayError)) {
    const detail = error instanceof Error ? error.message : String(error);
    const advice = "This is a fault of this page. Reload it.";
    return { title: "Something went wrong", detail, advice, fields: [], trace: undefined };
  }
  const { code, status, detail, errors, retryAfterS, requestId } = error;
  const known =
    advices[code] ?? (status >= 500 ? "Try again in a moment." : "Change the request and try again.");
  const advice = retryAfterS === undefined ? known : `${known} The server asks to wait ${retryAfterS} s.`;
  return {
    title: titles[code] ?? "The server refused",
    detail,
    advice,
    // The first one is what the detail says.
    fields: errors.length > 1 ? errors.map(({ path, message }) => `${path} ${message}`) : [],
    trace: requestId === undefined ? code : `${code}, request ${requestId}`,
  };
}
