import { expect, test } from "vitest";
import { createManualClock, settle } from "../../test/manual-clock.ts";
import { type TokenSource, VirtualGpu } from "./virtual-gpu.ts";

const forever = () => new AbortController().signal;

function create(speeds: { tokensPerS?: number; prefillTokensPerS?: number; totalTokensPerS?: number }) {
  const clock = createManualClock();
  const all = { tokensPerS: 0, prefillTokensPerS: 0, totalTokensPerS: 0, ...speeds };
  return { clock, gpu: new VirtualGpu(clock, all) };
}

/** Reads on, as a client does that is always ready. */
function read(source: TokenSource): { tokens: number; ended: unknown } {
  const seen: { tokens: number; ended: unknown } = { tokens: 0, ended: undefined };
  const run = async () => {
    for (;;) seen.tokens += await source.take(1000);
  };
  void run().catch((error) => (seen.ended = error));
  return seen;
}

test("a stream gets its speed, whatever the length of a tick", async () => {
  for (const tokensPerS of [1, 7, 60, 1000]) {
    const { clock, gpu } = create({ tokensPerS });
    const seen = read(gpu.decode(forever()));
    await clock.advance(10_000);
    expect(seen.tokens).toBeGreaterThanOrEqual(tokensPerS * 10 - Math.ceil(tokensPerS / 50));
    expect(seen.tokens).toBeLessThanOrEqual(tokensPerS * 10);
  }
});

test("a hundred streams share one timer", async () => {
  const { clock, gpu } = create({ tokensPerS: 60 });
  const all = Array.from({ length: 100 }, () => read(gpu.decode(forever())));
  await clock.advance(1_000);
  expect(clock.timers).toBe(1);
  for (const seen of all) expect(seen.tokens).toBeGreaterThanOrEqual(58);
});

test("a slow stream does not hold up one that joins later", async () => {
  const { clock, gpu } = create({ tokensPerS: 100 });
  read(gpu.decode(forever(), 0.01));
  const fast = read(gpu.decode(forever()));
  await clock.advance(1_000);
  expect(fast.tokens).toBeGreaterThanOrEqual(98);
});

test("all streams together stay below the ceiling", async () => {
  const { clock, gpu } = create({ tokensPerS: 60, totalTokensPerS: 90 });
  const all = Array.from({ length: 3 }, () => read(gpu.decode(forever())));
  await clock.advance(10_000);
  for (const seen of all) {
    expect(seen.tokens).toBeGreaterThan(290);
    expect(seen.tokens).toBeLessThanOrEqual(300);
  }
});

test("tokens do not pile up while nobody takes them", async () => {
  const { clock, gpu } = create({ tokensPerS: 100 });
  const source = gpu.decode(forever());
  const first = source.take(1);
  await clock.advance(10);
  expect(await first).toBe(1);
  await clock.advance(60_000);
  const next = source.take(1000);
  await clock.advance(10);
  expect(await next).toBe(1);
});

test("reading the prompt takes its time", async () => {
  const { clock, gpu } = create({ prefillTokensPerS: 500 });
  let done = false;
  void gpu.prefill(1000, forever()).then(() => (done = true));
  await clock.advance(1_999);
  expect(done).toBe(false);
  await clock.advance(1);
  expect(done).toBe(true);
});

test("an abort ends the wait at once and leaves no timer", async () => {
  const { clock, gpu } = create({ tokensPerS: 1 });
  const client = new AbortController();
  const seen = read(gpu.decode(client.signal));
  await settle();
  client.abort(new Error("gone"));
  await settle();
  expect(seen.ended).toEqual(new Error("gone"));
  expect(clock.timers).toBe(0);
});

test("an instant stream needs no clock, and still notices an abort", async () => {
  const { clock, gpu } = create({});
  const client = new AbortController();
  const source = gpu.decode(client.signal);
  expect(await source.take(90)).toBe(90);
  expect(clock.timers).toBe(0);
  client.abort(new Error("gone"));
  await expect(source.take(90)).rejects.toThrow("gone");
});
