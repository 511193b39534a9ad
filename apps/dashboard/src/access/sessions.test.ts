import type { KeyRecord } from "@forebay/access-keys";
import { expect, it } from "vitest";
import { createSessions } from "./sessions.ts";

const key: KeyRecord = {
  id: "key_0123456789",
  hash: "a".repeat(64),
  name: "ops",
  tenant: "platform",
  role: "operator",
  default_lane: "standard",
  weight: 1,
  limits: {},
  created_at: "2026-01-01T00:00:00.000Z",
  disabled: false,
};

it("a session ends when its time is over", () => {
  let now = 1_000;
  const sessions = createSessions({ secret: "s", ttlMs: 500, now: () => now });
  const { session, cookie } = sessions.start(key);
  expect(sessions.read(cookie)).toEqual(session);
  now = 1_499;
  expect(sessions.read(cookie)).toEqual(session);
  now = 1_500;
  expect(sessions.read(cookie)).toBeUndefined();
});

it("a session is of one key, as long as it has the same secret", () => {
  const sessions = createSessions({ secret: "s", ttlMs: 500 });
  const { session } = sessions.start(key);
  expect(sessions.isOf(session, key)).toBe(true);
  expect(sessions.isOf(session, { ...key, hash: "b".repeat(64) })).toBe(false);
  expect(sessions.isOf(session, { ...key, id: "key_9876543210" })).toBe(false);
});

it("a cookie tells nothing from which the key could be guessed", () => {
  const { cookie } = createSessions({ secret: "s", ttlMs: 500 }).start(key);
  expect(Buffer.from(cookie.split(".")[0] ?? "", "base64url").toString()).not.toContain(
    key.hash.slice(0, 12),
  );
});

it("a token belongs to one session and one secret", () => {
  const [one, other] = [createSessions({ secret: "s", ttlMs: 1 }), createSessions({ secret: "t", ttlMs: 1 })];
  expect(one.csrfToken("a")).toBe(one.csrfToken("a"));
  expect(new Set([one.csrfToken("a"), one.csrfToken("b"), other.csrfToken("a")]).size).toBe(3);
});
