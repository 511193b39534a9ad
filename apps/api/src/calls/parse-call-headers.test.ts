import { expect, test } from "vitest";
import { parseCallHeaders } from "./parse-call-headers.ts";

test.each([
  [{}, undefined, "cancel", undefined],
  [{ "idempotency-key": '"k"' }, "k", "detach", undefined],
  [{ "idempotency-key": "k", "forebay-on-disconnect": "cancel" }, "k", "cancel", undefined],
  [{ "forebay-on-disconnect": "detach" }, undefined, "detach", undefined],
  [{ "x-stainless-retry-count": "0" }, undefined, "cancel", 0],
  [{ "x-stainless-retry-count": "2" }, undefined, "cancel", 2],
  [{ "x-stainless-retry-count": "-1" }, undefined, "cancel", undefined],
])("%j: key %s, who hangs up: %s, tries before: %s", (headers, idempotencyKey, onDisconnect, sdkRetry) => {
  expect(parseCallHeaders(headers)).toEqual({ idempotencyKey, onDisconnect, sdkRetry });
});
