import { readQuery } from "../../../http/query.ts";

/**
 * The query of a request for a response. What of it is to be included is always told in full, so `include`, which
 * SDKs repeat, says nothing. Throws Problem.
 */
export function readResponseQuery(url: string, allowed: readonly string[]): Map<string, string> {
  const bare = new URL(url);
  for (const name of new Set(bare.searchParams.keys())) {
    if (/^include(\[\d*\])?$/.test(name)) bare.searchParams.delete(name);
  }
  return readQuery(bare.href, (name) => allowed.includes(name));
}
