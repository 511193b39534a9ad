import { logLua } from "../token-log/log-lua.ts";

/**
 * Lua that opens the record of a start, for scripts whose caller holds the job's lock:
 *
 * - `open_start(job_key, known, worker, backend, channel)`: `known` are the job's fields by name, `worker` and
 *   `backend` JSON texts ("" = not known). Returns the record of earlier starts, the time (ms) and the number of the
 *   log's last entry. Run again for the same start, it writes nothing.
 * - `startFields`: those it needs.
 */
export const startFields = [
  "starts",
  "kept",
  "stop",
  "partial",
  "atm",
  "ats",
  "processedOn",
  "begun",
] as const;

export const startLua = `
local function open_start(job_key, known, worker, backend, channel)
  ${logLua('job_key .. ":logs"')}
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local earlier = known.starts or ""
  local this_start = (known.ats or "") .. "@" .. (known.processedOn or "")
  if known.begun == this_start then
    earlier = string.gsub(earlier, "[^\\n]*\\n$", "")
  else
    backend = backend == "" and "" or ',"backend":' .. backend
    local start = string.format('{"start":{"at_ms":%d,"worker":%s}', now, worker) .. backend .. "}\\n"
    redis.call("HSET", job_key, "starts", earlier .. start, "begun", this_start)
    local attempt = (tonumber(known.atm) or 0) + 1
    -- Readers have seen part of an answer that will be written anew, unless it was finished and kept.
    if known.partial and not known.kept then
      redis.call("HDEL", job_key, "partial")
      log("restart", string.format('{"attempt":%d}', attempt))
    end
    log("state", string.format('{"state":"active","at_ms":%d,"attempt":%d}', now, attempt))
    publish(channel)
  end
  return earlier, now, seq
end
`;
