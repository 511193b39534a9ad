import { createLuaScript } from "../redis/lua.ts";

// KEYS: batch, the tenant's batches, open batches, input file, idempotency key (if any).
// ARGV: head, now (ms), now (s), id, owner of the input file, claim ("" = none), seconds it is remembered.
// Returns "added", "no_file", or the earlier claim.
export const addBatchScript = createLuaScript(`
-- A connection that broke repeats its commands.
if redis.call("EXISTS", KEYS[1]) == 1 then return "added" end
if ARGV[6] ~= "" then
  local earlier = redis.call("GET", KEYS[5])
  if earlier then return earlier end
end
if redis.call("EXISTS", KEYS[4]) == 0 then return "no_file" end
redis.call("HINCRBY", KEYS[4], "users", 1)
redis.call("HSET", KEYS[1], "head", ARGV[1], "status", "validating", "at:validating", ARGV[3], "rev", 0)
redis.call("ZADD", KEYS[2], ARGV[2], ARGV[4])
redis.call("ZADD", KEYS[3], ARGV[2], ARGV[4])
if ARGV[6] ~= "" then redis.call("SET", KEYS[5], ARGV[6], "EX", ARGV[7]) end
return "added"
`);

// Cancelling. KEYS: batch. ARGV: now (s). Returns its status as it is now.
export const cancelBatchScript = createLuaScript(`
local status = redis.call("HGET", KEYS[1], "status")
if status == "validating" or status == "in_progress" then
  redis.call("HSET", KEYS[1], "status", "cancelling", "at:cancelling", ARGV[1])
  return "cancelling"
end
return status
`);

// A runner takes a batch over: whoever had it may write nothing more. KEYS: batch. ARGV: its token.
export const claimBatchScript = createLuaScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], "run", ARGV[1])
return 1
`);

// Every change of a runner carries its token and the number of the change it knows: a script that is sent twice,
// a runner that lost its batch, and a Redis that lost its last second are all met as "lost".
const fence = `
local fence = redis.call("HMGET", KEYS[1], "run", "rev")
if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] then return "lost" end
`;

// KEYS: batch. ARGV: token, rev, status it must have, field, value, … Returns "lost", "other" (it has another
// status), or the new rev.
export const changeBatchScript = createLuaScript(`${fence}
if redis.call("HGET", KEYS[1], "status") ~= ARGV[3] then return "other" end
for i = 4, #ARGV, 2 do redis.call("HSET", KEYS[1], ARGV[i], ARGV[i + 1]) end
return redis.call("HINCRBY", KEYS[1], "rev", 1)
`);

// KEYS: batch, taken lines. ARGV: token, rev, next index, its offset, its line, index, line, … Returns as above.
export const takeLinesScript = createLuaScript(`${fence}
redis.call("HSET", KEYS[1], "cursor", ARGV[3], "cursor:offset", ARGV[4], "cursor:line", ARGV[5])
for i = 6, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
return redis.call("HINCRBY", KEYS[1], "rev", 1)
`);

// Results of lines and the pieces of files that hold them, at once: a line is in a file exactly if its bit is set.
// KEYS: batch, recorded lines, taken lines, the tenant's files, files by expiry, output file, its parts, error
// file, its parts. ARGV: token, rev, completed, failed, input tokens, output tokens, now (ms), expiry of files (s),
// output file (id, head, part or "", bytes), error file (same four), cursor (index, offset, line; "" = as it is),
// then the indexes of the lines.
export const recordLinesScript = createLuaScript(`${fence}
for i = 20, #ARGV do
  if redis.call("GETBIT", KEYS[2], ARGV[i]) == 1 then return "lost" end
end
for i = 20, #ARGV do
  redis.call("SETBIT", KEYS[2], ARGV[i], 1)
  redis.call("HDEL", KEYS[3], ARGV[i])
end
local function append(file, parts, id, head, part, bytes, field)
  if part == "" then return end
  if redis.call("HSETNX", file, "head", head) == 1 then
    redis.call("HSET", file, "users", 1)
    redis.call("ZADD", KEYS[4], ARGV[7], id)
    redis.call("ZADD", KEYS[5], ARGV[8], id)
  end
  redis.call("RPUSH", parts, part)
  redis.call("HINCRBY", file, "bytes", bytes)
  redis.call("HINCRBY", KEYS[1], field, bytes)
end
append(KEYS[6], KEYS[7], ARGV[9], ARGV[10], ARGV[11], ARGV[12], "output_bytes")
append(KEYS[8], KEYS[9], ARGV[13], ARGV[14], ARGV[15], ARGV[16], "error_bytes")
redis.call("HINCRBY", KEYS[1], "completed", ARGV[3])
redis.call("HINCRBY", KEYS[1], "failed", ARGV[4])
redis.call("HINCRBY", KEYS[1], "input_tokens", ARGV[5])
redis.call("HINCRBY", KEYS[1], "output_tokens", ARGV[6])
if ARGV[17] ~= "" then
  redis.call("HSET", KEYS[1], "cursor", ARGV[17], "cursor:offset", ARGV[18], "cursor:line", ARGV[19])
end
return redis.call("HINCRBY", KEYS[1], "rev", 1)
`);

// The end. KEYS: batch, open batches, ended batches, recorded lines, taken lines, then its input, output and error
// file. ARGV: token, rev, status it must have, status, now (s), erase at (s), id, field, value, … Returns as above.
export const endBatchScript = createLuaScript(`${fence}
if redis.call("HGET", KEYS[1], "status") ~= ARGV[3] then return "other" end
redis.call("HSET", KEYS[1], "status", ARGV[4], "at:" .. ARGV[4], ARGV[5])
for i = 8, #ARGV, 2 do redis.call("HSET", KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call("ZREM", KEYS[2], ARGV[7])
redis.call("ZADD", KEYS[3], ARGV[6], ARGV[7])
redis.call("UNLINK", KEYS[4], KEYS[5])
for i = 6, 8 do
  if redis.call("EXISTS", KEYS[i]) == 1 then redis.call("HINCRBY", KEYS[i], "users", -1) end
end
return redis.call("HINCRBY", KEYS[1], "rev", 1)
`);
