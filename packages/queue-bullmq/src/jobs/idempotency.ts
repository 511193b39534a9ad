import { hash } from "node:crypto";
import type { QueueSpace } from "../queues/queue-space.ts";

/** A request that may be repeated: by the caller's name for it, and by what it says. */
export type IdempotencyClaim = {
  readonly key: string;
  /** Of the request body, equal for equal bodies. */ readonly fingerprint: string;
  /** How long the key is remembered, in seconds. */ readonly ttlS: number;
};

/** A key was used before. The job of that request was written in the same moment as its claim. */
export type EarlierClaim =
  | { kind: "same"; id: string }
  /** Another request used this key. */
  | { kind: "mismatch"; id: string };

/** Where a tenant's keys are remembered; a digest of the key follows. What is there is a job's id and the fingerprint. */
export function claimRoot(space: QueueSpace, tenant: string): string {
  return space.key("idem", tenant, "");
}

/** Where one of them is. */
export function idempotencyKey(space: QueueSpace, tenant: string, key: string): string {
  return claimRoot(space, tenant) + digestOfKey(key);
}

/** The key itself is not stored: it may be a secret of the client. */
export function digestOfKey(key: string): string {
  return hash("sha256", key, "base64url").slice(0, 22);
}

/**
 * As much of a fingerprint as is stored: with a job's id 44 characters, the most Redis keeps in one piece. It tells
 * mistakes, of a client that knows its own keys: 60 bits are plenty.
 */
const fingerprintKept = 10;
const jobIdLength = 34;

export function keptFingerprint(fingerprint: string): string {
  return fingerprint.slice(0, fingerprintKept);
}

export function compareClaim(earlier: string, fingerprint: string): EarlierClaim {
  const id = earlier.slice(0, jobIdLength);
  const same = keptFingerprint(earlier.slice(jobIdLength)) === keptFingerprint(fingerprint);
  return { kind: same ? "same" : "mismatch", id };
}

/** What a request with this key would meet, without claiming it; undefined: nobody used the key. */
export async function readIdempotencyClaim(
  space: QueueSpace,
  tenant: string,
  claim: Pick<IdempotencyClaim, "key" | "fingerprint">,
): Promise<EarlierClaim | undefined> {
  const earlier = await space.client.get(idempotencyKey(space, tenant, claim.key));
  return earlier === null ? undefined : compareClaim(earlier, claim.fingerprint);
}
