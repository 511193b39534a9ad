import type { InferenceJob } from "@forebay/queue-contracts";
import { fingerprintBody } from "./fingerprint-body.ts";

/**
 * By what a request is known again that was sent away: its idempotency key, otherwise what it asks for. Not the model, which
 * may be another one that stands in, nor the deadline, which counts from each try.
 */
export function requestIdentity(job: InferenceJob, idempotencyKey: string | undefined): string {
  const { tenant } = job;
  if (idempotencyKey !== undefined) return fingerprintBody({ tenant, key: idempotencyKey });
  const { model: _, fallbacks: __, start_by: ___, ...said } = job;
  return fingerprintBody(said);
}
