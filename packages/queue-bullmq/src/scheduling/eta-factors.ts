import {
  type EtaFactors,
  etaSecondMs,
  etaShares,
  type EtaSpread,
  etaStep,
  priorSpread,
} from "@forebay/scheduling";
import { perSpace } from "../queues/per-space.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { groupCalls } from "../redis/group-calls.ts";
import { createLuaScript } from "../redis/lua.ts";

export const etaKey = (space: QueueSpace): string => space.key("eta");

/**
 * Lua that compares what was foretold of a job's start with the truth, once, and learns from it; as `learnFactors`
 * of `@forebay/scheduling`. `eta` is the job's field: what was before it, low and high in ms after it was put.
 */
export const etaLua = `
local function learn_eta(eta_key, job_key, eta, put_at)
  local plain = tonumber(string.match(eta, "^(%S+) "))
  local time = redis.call("TIME")
  local took = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - put_at)
  redis.call("HDEL", job_key, "eta")
  local class = plain < ${etaSecondMs} and "soon" or "later"
  local mid, low, high = string.match(redis.call("HGET", eta_key, class) or "", "^(%S+) (%S+) (%S+)$")
  mid, low, high = tonumber(mid) or ${priorSpread.mid}, tonumber(low) or ${priorSpread.low}, tonumber(high) or ${priorSpread.high}
  local off = math.log((took + ${etaSecondMs}) / (plain + ${etaSecondMs}))
  local function step(share, bound) return ${etaStep} * (share - (off < bound and 1 or 0)) end
  redis.call("HSET", eta_key, class, string.format("%.6g %.6g %.6g", mid + step(${etaShares.mid}, mid),
    low + step(${etaShares.low}, mid + low), high + step(${etaShares.high}, mid + high)))
  return eta .. " " .. string.format("%.0f", took)
end
`;

function parseSpread(text: string | null | undefined): EtaSpread {
  const [mid = NaN, low = NaN, high = NaN] = (text ?? "").split(" ").map(Number);
  return Number.isFinite(mid + low + high) ? { mid, low, high } : priorSpread;
}

export async function readEtaFactors(space: QueueSpace): Promise<EtaFactors> {
  const [soon, later] = await space.client.hmget(etaKey(space), "soon", "later");
  return { soon: parseSpread(soon), later: parseSpread(later) };
}

/** When a job is foretold to start, milliseconds after it was put. */
export type ForetoldStart = {
  /** By what is before it alone: what is learned from. */ readonly plainMs: number;
  readonly lowMs: number;
  readonly highMs: number;
};

// A job that is gone must not come back as a key with this field alone. KEYS: jobs. ARGV: what was foretold of each.
const write = createLuaScript(`
for i, key in ipairs(KEYS) do
  if redis.call("HEXISTS", key, "timestamp") == 1 then redis.call("HSET", key, "eta", ARGV[i]) end
end
return 1
`);

type Note = { readonly key: string; readonly text: string };
const notesMax = 16;

const notesOf = perSpace(({ client }) => {
  const run = async (notes: readonly Note[]): Promise<void[]> => {
    await write(
      client,
      notes.map(({ key }) => key),
      notes.map(({ text }) => text),
    );
    return notes.map(() => undefined);
  };
  return groupCalls(run, { client, callsMax: notesMax });
});

/** Notes with a job when it is foretold to start, for whoever starts it to compare. */
export async function noteForetold(
  space: QueueSpace,
  job: { id: string; queueName: string },
  start: ForetoldStart,
): Promise<void> {
  const { plainMs, lowMs, highMs } = start;
  const text = [plainMs, lowMs, highMs].map(Math.round).join(" ");
  await notesOf(space)("", { key: space.jobKey(job.queueName, job.id), text });
}
