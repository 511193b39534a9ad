import { ConnectionError, ForebayError } from "./errors.ts";
import { createLinkedAbort } from "./linked-abort.ts";
import { pause } from "./pause.ts";
import { readProblem } from "./read-problem.ts";
import { isPassing, retryDelayMs } from "./retry-policy.ts";

/** Told before a request is repeated. */
export type Retry = { error: ForebayError; delayMs: number };

export type CallOptions = {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onRetry?: ((retry: Retry) => void) | undefined;
};

/** Where the server is, and how to speak to it. */
export type Server = {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly fetch: typeof fetch;
  /** How often a request is repeated that failed for a passing reason. */
  readonly retries: number;
};

type Request = {
  method: "GET" | "POST" | "DELETE";
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  /** Milliseconds the server may hold the answer back by agreement. */
  heldMs?: number;
};

/** A server that says nothing for so long is not there. Milliseconds. */
const silenceMs = 30_000;
const retryBaseMs = 500;

/** One request and its JSON answer (undefined when it is empty). Throws ForebayError, or the signal's reason. */
export async function request(server: Server, asked: Request, signal?: AbortSignal): Promise<unknown> {
  const abort = createLinkedAbort(signal);
  const timeout = new ConnectionError(`${server.baseUrl} did not answer in time.`);
  const timer = setTimeout(() => abort.abort(timeout), silenceMs + (asked.heldMs ?? 0));
  try {
    const response = await open(server, asked, abort.signal);
    if (!response.ok) throw await readProblem(response);
    return await readJson(response);
  } catch (error) {
    signal?.throwIfAborted();
    throw asForebayError(error, server);
  } finally {
    clearTimeout(timer);
    abort.release();
  }
}

/** The same for requests that may be sent twice: repeated a few times while what is wrong may pass. */
export async function requestRepeatedly(
  server: Server,
  asked: Request,
  options: CallOptions,
): Promise<unknown> {
  for (let failures = 1; ; failures++) {
    try {
      return await request(server, asked, options.signal);
    } catch (error) {
      if (!isPassing(error) || failures > server.retries) throw error;
      const { retryAfterS } = error;
      const delayMs = retryDelayMs({ failures, baseMs: retryBaseMs, retryAfterS }, Math.random());
      options.onRetry?.({ error, delayMs });
      await pause(delayMs, options.signal);
    }
  }
}

/** The answer as it is, its body unread. */
export function open(server: Server, asked: Request, signal: AbortSignal): Promise<Response> {
  const { method, path, headers = {}, body } = asked;
  return server.fetch(server.baseUrl + path, {
    method,
    signal,
    cache: "no-store",
    headers: {
      ...(server.apiKey !== undefined && { authorization: `Bearer ${server.apiKey}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** What `fetch` throws says little ("fetch failed", "Failed to fetch"); its cause says more. */
export function asForebayError(error: unknown, { baseUrl }: Server): ForebayError {
  if (error instanceof ForebayError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return new ConnectionError(`${baseUrl} cannot be reached, or the connection broke${why}.`, {
    cause: error,
  });
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const detail = "The answer is not JSON: is this the address of a Forebay API?";
    throw new ForebayError(detail, { status: response.status, code: "unexpected_answer" });
  }
}
