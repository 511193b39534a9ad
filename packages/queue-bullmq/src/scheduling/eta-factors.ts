import { type EtaFactors, etaStep, priorFactors } from "@forebay/scheduling";
import { perSpace } from "../queues/per-space.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { groupCalls } from "../redis/group-calls.ts";
import { createLuaScript } from "../redis/lua.ts";

export const etaKey = (space: QueueSpace): string => space.key("eta");

/**
 * Lua that compares what was foretold of a job's start with the truth, once, and learns from it; as `learnFactors`
 * of `@forebay/scheduling`. `eta` is the job's field: wait, low and high in ms after it was put.
 */
export const etaLua = `
local function learn_eta(eta_key, job_key, eta, put_at)
  local wait = tonumber(string.match(eta, "^(%S+) "))
  local time = redis.call("TIME")
  local took = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - put_at)
  redis.call("HDEL", job_key, "eta")
  local known = redis.call("HMGET", eta_key, "low", "high")
  local low, high = tonumber(known[1]) or ${priorFactors.low}, tonumber(known[2]) or ${priorFactors.high}
  local off = math.log((took + 1000) / (wait + 1000))
  low = low + ${etaStep} * (0.1 - (off < low and 1 or 0))
  high = high + ${etaStep} * (0.9 - (off < high and 1 or 0))
  redis.call("HSET", eta_key, "low", string.format("%.6g", low), "high", string.format("%.6g", high))
  return eta .. " " .. string.format("%.0f", took)
end
`;

export async function readEtaFactors(space: QueueSpace): Promise<EtaFactors> {
  const [low, high] = await space.client.hmget(etaKey(space), "low", "high");
  return {
    low: low === null || low === undefined ? priorFactors.low : Number(low),
    high: high === null || high === undefined ? priorFactors.high : Number(high),
  };
}

/** When a job is foretold to start, milliseconds after it was put. */
export type ForetoldStart = { readonly waitMs: number; readonly lowMs: number; readonly highMs: number };

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
  const { waitMs, lowMs, highMs } = start;
  const text = [waitMs, lowMs, highMs].map(Math.round).join(" ");
  await notesOf(space)("", { key: space.jobKey(job.queueName, job.id), text });
}
