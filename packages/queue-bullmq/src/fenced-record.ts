import { createLuaScript } from "./lua.ts";
import { type StartsLine, startsLine } from "./starts.ts";
import type { Redis } from "./open-redis.ts";

/** Another worker owns the job now: whatever this one still has to say about it must not be written. */
export class LockLostError extends Error {
  readonly code = "lock_lost";
  constructor(id: string) {
    super(`job ${id} is no longer locked by this worker`);
  }
}

// KEYS: job hash, its lock. ARGV: lock token, lines to add to `starts`, answer to keep ("" = none).
// Returns false when the lock is not ours, otherwise { starts, kept }.
const appendWhileLocked = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
local fields = redis.call("HMGET", KEYS[1], "starts", "kept")
local starts = (fields[1] or "") .. ARGV[2]
redis.call("HSET", KEYS[1], "starts", starts)
if ARGV[3] ~= "" then redis.call("HSET", KEYS[1], "kept", ARGV[3]) end
return { starts, fields[2] or "" }
`);

/**
 * Adds lines to a job's record of starts, and keeps its finished answer, only while the caller holds the
 * job's lock. Returns the whole record and the answer an earlier start kept ("" = none).
 * Throws LockLostError when the lock is gone.
 */
export async function appendFenced(
  client: Redis,
  job: { id: string; key: string; token: string },
  lines: StartsLine[],
  keep = "",
): Promise<{ starts: string; kept: string }> {
  const text = lines.map(startsLine).join("");
  const reply = await appendWhileLocked(client, [job.key, `${job.key}:lock`], [job.token, text, keep]);
  if (!Array.isArray(reply)) throw new LockLostError(job.id);
  return { starts: String(reply[0]), kept: String(reply[1]) };
}
