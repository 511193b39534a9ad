import { expect, test } from "vitest";
import { sharedNowMs } from "../shared-clock.ts";
import { countTokens, createClockToken, tokenDelays } from "./clock-token.ts";

test("tokens are counted and dated wherever they stand in a stream", () => {
  const before = sharedNowMs();
  const text = Array.from({ length: 5 }, createClockToken).join("");
  const chunk = `id: 7\nevent: token\ndata: {"seq":7,"text":"${text}"}\n\n: still here\n\n`;
  expect(countTokens(Buffer.from(chunk))).toBe(5);
  const delays = tokenDelays(chunk, before + 1_000);
  expect(delays).toHaveLength(5);
  for (const delay of delays) expect(delay).toBeLessThanOrEqual(1_000);
  expect(Math.min(...delays)).toBeGreaterThan(0);
});

test("a token cut in two is counted once and dated never", () => {
  const token = createClockToken();
  const [head, tail] = [token.slice(0, 4), token.slice(4)];
  expect(countTokens(Buffer.from(head)) + countTokens(Buffer.from(tail))).toBe(1);
  expect([...tokenDelays(head, 0), ...tokenDelays(tail, 0)]).toEqual([]);
});
