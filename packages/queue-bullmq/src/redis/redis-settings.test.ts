import { expect, test } from "vitest";
import { z } from "zod";
import { redisEnvShape, redisSettings } from "./redis-settings.ts";

const schema = z.object(redisEnvShape);

test("nothing need be set", () => {
  expect(redisSettings(schema.parse({}))).toEqual({
    url: "redis://127.0.0.1:6379",
    password: undefined,
    prefix: "forebay",
  });
});

test.each([
  ["REDIS_URL", "redis://user:secret@redis.internal:6380/2"],
  ["REDIS_URL", "rediss://redis.internal"],
  ["FOREBAY_KEY_PREFIX", "a.b-c_9"],
])("%s=%s is accepted", (name, value) => {
  expect(schema.safeParse({ [name]: value }).success).toBe(true);
});

test.each([
  ["REDIS_URL", "127.0.0.1:6379"],
  ["REDIS_URL", "http://127.0.0.1:6379"],
  ["FOREBAY_KEY_PREFIX", ""],
  ["FOREBAY_KEY_PREFIX", "a:b"],
  ["FOREBAY_KEY_PREFIX", "{a}"],
  ["FOREBAY_KEY_PREFIX", "x".repeat(33)],
])("%s=%s is refused", (name, value) => {
  expect(schema.safeParse({ [name]: value }).success).toBe(false);
});
