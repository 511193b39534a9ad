import { type DeadLetter, formatFailedReason } from "@forebay/queue-contracts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { deadLetterKeys, deadLetterStates } from "./dead-letter-keys.ts";
import type { LetterMark } from "./read-dead-letter.ts";
import { summarise } from "./dead-letter-summary.ts";

// The letter with all its indexes, whole or not at all, and only if nobody wrote since it was read: of two
// handlers one wins, and a kill leaves the state before or after.
// KEYS: letter, BullMQ's failed set, by-time, due, erased, then one set per state.
// ARGV: rev it was read at, id, position of its state, time of the failure (ms), when due ("" not, "keep"),
// then pairs of fields. Returns 1 written, 0 somebody else wrote, -1 it was erased a moment ago.
const writeScript = createLuaScript(`
local rev = redis.call("HGET", KEYS[1], "rev") or "0"
if rev ~= ARGV[1] then return 0 end
if rev == "0" and redis.call("EXISTS", KEYS[5]) == 1 then return -1 end
redis.call("HSET", KEYS[1], "rev", rev + 1, unpack(ARGV, 6))
redis.call("ZADD", KEYS[2], ARGV[4], ARGV[2])
redis.call("ZADD", KEYS[3], ARGV[4], ARGV[2])
for index = 1, #KEYS - 5 do
  if index == tonumber(ARGV[3]) then redis.call("ZADD", KEYS[5 + index], ARGV[4], ARGV[2])
  else redis.call("ZREM", KEYS[5 + index], ARGV[2]) end
end
if ARGV[5] == "" then redis.call("ZREM", KEYS[4], ARGV[2])
elseif ARGV[5] ~= "keep" then redis.call("ZADD", KEYS[4], ARGV[5], ARGV[2]) end
return 1
`);

export type WriteAnswer = "written" | "conflict" | "erased";

export type LetterWrite = {
  readonly letter: DeadLetter;
  /** As read; 0: there was none. */
  readonly rev: number;
  /** Absent: as they are. */
  readonly marks?: readonly LetterMark[];
  /** When the policy redrives it, in ms since 1970; undefined: it does not. */
  readonly dueMs?: number | undefined;
};

export async function writeDeadLetter(space: QueueSpace, write: LetterWrite): Promise<WriteAnswer> {
  const { letter, rev, marks, dueMs } = write;
  const keys = deadLetterKeys(space);
  const id = letter.job_id;
  const failedMs = Date.parse(letter.last_failed_at);
  const reply = await writeScript(
    space.client,
    [
      keys.letter(id),
      keys.failed,
      keys.byTime,
      keys.due,
      keys.erased(id),
      ...deadLetterStates.map((state) => keys.inState(state)),
    ],
    [
      rev,
      id,
      deadLetterStates.indexOf(letter.state) + 1,
      failedMs,
      dueMs ?? "",
      ...Object.entries(fieldsOf(letter, failedMs, marks)).flat(),
    ],
  );
  if (reply === 1) return "written";
  return reply === 0 ? "conflict" : "erased";
}

/** The first ones are what BullMQ and Bull Board read of a failed job. */
function fieldsOf(
  letter: DeadLetter,
  failedMs: number,
  marks: readonly LetterMark[] | undefined,
): Record<string, string | number> {
  return {
    name: `${letter.state}: ${letter.failure.code}`,
    data: JSON.stringify(letter),
    opts: "{}",
    timestamp: Date.parse(letter.created_at),
    delay: 0,
    priority: 0,
    atm: letter.attempts_made,
    finishedOn: failedMs,
    failedReason: formatFailedReason(letter.failure),
    stacktrace: JSON.stringify(letter.stack),
    summary: JSON.stringify(summarise(letter)),
    ...(marks && { marks: JSON.stringify(marks) }),
  };
}
