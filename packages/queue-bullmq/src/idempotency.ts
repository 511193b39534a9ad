import { createHash } from "node:crypto";
import type { QueueSpace } from "./queue-space.ts";

export type IdempotencyClaim =
  /** Nobody used the key: the job is to be made with `id`. */
  | { kind: "new"; id: string }
  /** The same request came before: its job is `id`, which may still have to be written. */
  | { kind: "same"; id: string }
  /** Another request used this key. */
  | { kind: "mismatch"; id: string };

/**
 * Claims an idempotency key for a job id *before* the job is written. Whoever comes second with the same body
 * gets the first one's id and may write the job under it: BullMQ adds an id once, so neither a race nor a
 * crash between the two writes makes a second job.
 *
 * @param fingerprint of the request body, equal for equal bodies
 * @param ttlS how long the key is remembered, in seconds
 */
export async function claimIdempotencyKey(
  space: QueueSpace,
  claim: { tenant: string; key: string; fingerprint: string; id: string; ttlS: number },
): Promise<IdempotencyClaim> {
  const digest = createHash("sha256").update(claim.key).digest("base64url").slice(0, 22);
  const redisKey = space.key("idem", claim.tenant, digest);
  const value = `${claim.id}${claim.fingerprint}`;
  const earlier = await space.client.set(redisKey, value, "EX", claim.ttlS, "NX", "GET");
  if (earlier === null) return { kind: "new", id: claim.id };
  const id = earlier.slice(0, claim.id.length);
  return { kind: earlier.slice(claim.id.length) === claim.fingerprint ? "same" : "mismatch", id };
}
