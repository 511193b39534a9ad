import { expect, test } from "vitest";
import { parseCallHeaders } from "./parse-call-headers.ts";

test.each([
  [{}, undefined, "cancel"],
  [{ "idempotency-key": '"k"' }, "k", "detach"],
  [{ "idempotency-key": "k", "forebay-on-disconnect": "cancel" }, "k", "cancel"],
  [{ "forebay-on-disconnect": "detach" }, undefined, "detach"],
])("%j: key %s, who hangs up: %s", (headers, idempotencyKey, onDisconnect) => {
  expect(parseCallHeaders(headers)).toEqual({ idempotencyKey, onDisconnect });
});
