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
} {
  const idempotencyKey = parseIdempotencyKey(headers["idempotency-key"]?.toString(), undefined);
  const asked = headers["forebay-on-disconnect"]?.toString();
  const preset = idempotencyKey === undefined ? "cancel" : "detach";
  return { idempotencyKey, onDisconnect: parseOnDisconnect(asked ?? preset) };
}
