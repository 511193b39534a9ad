import { hash } from "node:crypto";

/**
 * Equal for bodies that say the same: the order of keys, white space and how a number is written do not count,
 * nor does the idempotency key itself, which may have come by header the first time.
 */
export function fingerprintBody(body: object): string {
  const { idempotency_key: _, ...said } = body as Record<string, unknown>;
  return hash("sha256", canonicalJson(said), "base64url").slice(0, 22);
}

function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${members.join(",")}}`;
}
