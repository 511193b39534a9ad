import { createHash } from "node:crypto";
import type { QueueSpace } from "../queues/queue-space.ts";

export type IdempotencyClaim =
  /** Nobody used the key: the job is to be made with `id`. */
  { kind: "new"; id: string } | EarlierClaim;

export type EarlierClaim =
  /**
   * The same request came before: its job is `id`. `recorded`: that job was written, so if it is not there it
   * was deleted or has aged out. Otherwise it may still have to be written.
   */
  | { kind: "same"; id: string; recorded: boolean }
  /** Another request used this key. */
  | { kind: "mismatch"; id: string };

type ClaimInput = { tenant: string; key: string; fingerprint: string; id: string; ttlS: number };

const recordedMark = "+";
const jobIdLength = 34;

/**
 * Claims an idempotency key for a job id *before* the job is written. Whoever comes second with the same body
 * gets the first one's id and may write the job under it: BullMQ adds an id once, so neither a race nor a
 * crash between the two writes makes a second job.
 *
 * @param claim.fingerprint of the request body, equal for equal bodies
 * @param claim.ttlS how long the key is remembered, in seconds
 */
export async function claimIdempotencyKey(space: QueueSpace, claim: ClaimInput): Promise<IdempotencyClaim> {
  const value = `${claim.id}${claim.fingerprint}`;
  const earlier = await space.client.set(keyOf(space, claim), value, "EX", claim.ttlS, "NX", "GET");
  return earlier === null ? { kind: "new", id: claim.id } : compareClaims(earlier, claim.fingerprint);
}

/** What a claim for this request would find, without claiming; undefined: nobody used the key. */
export async function readIdempotencyClaim(
  space: QueueSpace,
  claim: Pick<ClaimInput, "tenant" | "key" | "fingerprint">,
): Promise<EarlierClaim | undefined> {
  const earlier = await space.client.get(keyOf(space, claim));
  return earlier === null ? undefined : compareClaims(earlier, claim.fingerprint);
}

function compareClaims(earlier: string, fingerprint: string): EarlierClaim {
  const id = earlier.slice(0, jobIdLength);
  const rest = earlier.slice(jobIdLength);
  if (rest === fingerprint) return { kind: "same", id, recorded: false };
  if (rest === fingerprint + recordedMark) return { kind: "same", id, recorded: true };
  return { kind: "mismatch", id };
}

/**
 * Notes that the job of a claim has been written. Lost when the process dies right after the job was added;
 * then a job that is also deleted before its request is repeated runs again.
 */
export async function recordIdempotentJob(
  space: QueueSpace,
  claim: Pick<ClaimInput, "tenant" | "key" | "fingerprint" | "id">,
): Promise<void> {
  const value = `${claim.id}${claim.fingerprint}${recordedMark}`;
  await space.client.set(keyOf(space, claim), value, "KEEPTTL", "XX");
}

function keyOf(space: QueueSpace, claim: { tenant: string; key: string }): string {
  const digest = createHash("sha256").update(claim.key).digest("base64url").slice(0, 22);
  return space.key("idem", claim.tenant, digest);
}
