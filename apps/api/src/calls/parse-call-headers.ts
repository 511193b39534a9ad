import type { IncomingHttpHeaders } from "node:http";
import { parseIdempotencyKey } from "../routes/jobs/idempotency-key.ts";
import { parseOnDisconnect } from "../routes/jobs/parse-prefer.ts";

/**
 * What a call on a foreign surface says of its job. Who hangs up cancels it; but who sent an idempotency key
 * means to come back for it, as SDKs do after a timeout, so then it goes on unless told otherwise. Throws Problem.
 */
export function parseCallHeaders(headers: IncomingHttpHeaders): {
  idempotencyKey: string | undefined;
  onDisconnect: "cancel" | "detach";
  /** Tries before this one, of an SDK that tries again by itself and says so; undefined: it does not. */
  sdkRetry: number | undefined;
} {
  const idempotencyKey = parseIdempotencyKey(headers["idempotency-key"]?.toString(), undefined);
  const asked = headers["forebay-on-disconnect"]?.toString();
  const preset = idempotencyKey === undefined ? "cancel" : "detach";
  return {
    idempotencyKey,
    onDisconnect: parseOnDisconnect(asked ?? preset),
    sdkRetry: parseRetryCount(headers["x-stainless-retry-count"]?.toString()),
  };
}

/** OpenAI's SDKs, and others made with the same generator, count their tries and send no idempotency key. */
function parseRetryCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}
