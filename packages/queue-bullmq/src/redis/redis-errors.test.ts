import { expect, test } from "vitest";
import { isRedisUnavailable } from "./redis-errors.ts";

const coded = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:6379`), { code });

test.each([
  new Error("Command timed out"),
  new Error("Connection is closed."),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error("Reached the max retries per request limit (which is 1). Refer to … for details."),
  coded("ECONNREFUSED"),
  coded("ECONNRESET"),
  coded("ENOTFOUND"),
  new Error("LOADING Redis is loading the dataset in memory"),
  new Error("OOM command not allowed when used memory > 'maxmemory'."),
  new Error("READONLY You can't write against a read only replica."),
  new Error(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk",
  ),
  new Error("NOAUTH Authentication required."),
  new Error("BUSY Redis is busy running a script."),
  new Error("adding failed", { cause: coded("EPIPE") }),
])("%s: Redis cannot take the command now", (error) => {
  expect(isRedisUnavailable(error)).toBe(true);
});

test.each([
  new Error("WRONGTYPE Operation against a key holding the wrong kind of value"),
  new Error("ERR wrong number of arguments for 'get' command"),
  new Error("NOSCRIPT No matching script."),
  new Error("a prompt that says OOM and LOADING"),
  new TypeError("Cannot read properties of undefined"),
  coded("ENOENT"),
  new Error("outer", { cause: new Error("inner") }),
  "Command timed out",
  undefined,
])("%s: something else is wrong", (error) => {
  expect(isRedisUnavailable(error)).toBe(false);
});
