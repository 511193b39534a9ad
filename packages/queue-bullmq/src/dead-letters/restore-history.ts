import type { StartRecord } from "@forebay/queue-contracts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { parseStarts, startsLine } from "../jobs/starts.ts";

// KEYS: job. ARGV: its record of starts as read, the lines to put before it.
const prepend = createLuaScript(`
if (redis.call("HGET", KEYS[1], "starts") or "") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "starts", ARGV[2] .. ARGV[1])
return 1
`);

const triesMax = 20;

/**
 * Gives a job that was added again the starts of its earlier life, in front of those it has had since: a worker
 * may have taken it at once. Repeating it changes nothing.
 */
export async function restoreHistory(
  space: QueueSpace,
  jobKey: string,
  attempts: readonly StartRecord[],
): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) {
    const [timestamp, text] = await space.client.hmget(jobKey, "timestamp", "starts");
    if (typeof timestamp !== "string") return;
    const own = parseStarts(text);
    const known = new Set(own.all.map(nameOf));
    const missing = attempts.filter((start) => !known.has(nameOf(start)));
    if (missing.length === 0 && own.putBack) return;
    const lines = missing.map(linesOf).join("") + startsLine({ fresh: true });
    if ((await prepend(space.client, [jobKey], [text ?? "", lines])) === 1) return;
  }
  throw new Error(`${jobKey} was changed by others ${triesMax} times while its history was restored`);
}

const nameOf = ({ at, worker }: StartRecord): string => `${at} ${worker}`;

function linesOf({ at, worker, backend, ...end }: StartRecord): string {
  return [
    startsLine({ start: { at_ms: Date.parse(at), worker } }),
    backend === undefined ? "" : startsLine({ backend }),
    Object.keys(end).length === 0 ? "" : startsLine({ end }),
  ].join("");
}
