/**
 * How its tenant's limit of running jobs bears on a waiting job: `met`: the tenant runs as many as it may; `ahead`: it
 * has more open than may run at once, and nobody can tell when one of them starts; "": not at all.
 */
export type LimitStanding = "met" | "ahead" | "";

/** `limit_standing(root, share)` as Lua: `root` is the prefix with a colon, `share` the job's field of this name. */
export const limitStandingLua = `
local function limit_standing(root, share)
  local tenant = share and string.match(share, "^%a+:(%S+) ")
  local max = tenant and redis.call("HGET", root .. "running", tenant)
  if not max then return "" end
  if redis.call("ZCARD", root .. "running:of:" .. tenant) >= tonumber(max) then return "met" end
  return redis.call("ZCARD", root .. "jobs:" .. tenant .. ":open") > tonumber(max) and "ahead" or ""
end
`;
