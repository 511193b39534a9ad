import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTokenRelay } from "./token-relay.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const delta = (text: string, thinking = "", toolCalls: unknown[] = []) => ({ text, thinking, toolCalls });

/** A log that takes `ms` for each write, or fails. `lose`: the write with this number finds others missing. */
function openLog(ms = 0, error?: Error, lose?: number) {
  const written: object[] = [];
  const rewritten: object[] = [];
  const entriesMax: number[] = [];
  const counts: (number | undefined)[] = [];
  let writes = 0;
  const appendTokens = async (data: object, max: number, counted?: number): Promise<"written" | "lost"> => {
    if (ms > 0)
      await vi.advanceTimersByTimeAsync(0).then(() => new Promise((resolve) => setTimeout(resolve, ms)));
    if (error) throw error;
    if (++writes === lose) return "lost";
    written.push(data);
    entriesMax.push(max);
    counts.push(counted);
    return "written";
  };
  const rewriteTokens = async (data: object): Promise<void> => void rewritten.push(data);
  const created = createTokenRelay({ appendTokens, rewriteTokens });
  let pushed = 0;
  const relay = { ...created, push: (piece: ReturnType<typeof delta>) => created.push(piece, ++pushed) };
  return { written, rewritten, entriesMax, counts, relay };
}

test("the first token is written at once, those that follow wait for company", async () => {
  const { written, relay } = openLog();
  relay.push(delta("a"));
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual([{ text: "a" }]);
  for (const text of ["b", "c", "d"]) relay.push(delta(text));
  await vi.advanceTimersByTimeAsync(20);
  expect(written).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(10);
  expect(written).toEqual([{ text: "a" }, { text: "bcd" }]);
});

test("a large piece does not wait", async () => {
  const { written, relay } = openLog();
  relay.push(delta("a"));
  await vi.advanceTimersByTimeAsync(0);
  relay.push(delta("x".repeat(600)));
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toHaveLength(2);
});

test("one write at a time: what comes meanwhile goes into the next, in order and once", async () => {
  const { written, relay } = openLog(100);
  for (let token = 0; token < 30; token++) {
    relay.push(delta(`${token} `, "", token === 7 ? ["call"] : []));
    await vi.advanceTimersByTimeAsync(10);
  }
  const flushed = relay.flush();
  await vi.advanceTimersByTimeAsync(1_000);
  await flushed;
  const text = written.map((data) => ("text" in data ? data.text : "")).join("");
  expect(text).toBe(Array.from({ length: 30 }, (_, token) => `${token} `).join(""));
  expect(written.flatMap((data) => ("tool_calls" in data ? data.tool_calls : []))).toEqual(["call"]);
});

test("thinking and text stand apart, and what is empty is left out", async () => {
  const { written, relay } = openLog();
  relay.push(delta("", "hm"));
  relay.push(delta("", ""));
  await relay.flush();
  expect(written).toEqual([{ thinking: "hm" }]);
});

test("what Redis has lost is written anew: all so far, and nothing that is still to come", async () => {
  const { written, rewritten, relay } = openLog(0, undefined, 3);
  for (const text of ["a", "b", "c"]) {
    relay.push(delta(text, text.toUpperCase(), [text]));
    await relay.flush();
  }
  expect(rewritten).toEqual([{ text: "abc", thinking: "ABC", tool_calls: ["a", "b", "c"] }]);
  relay.push(delta("d"));
  await relay.flush();
  expect(written.at(-1)).toEqual({ text: "d" });
  expect(rewritten).toHaveLength(1);
});

test("flush rejects with the error of a write, and nothing is written after it", async () => {
  const { relay } = openLog(0, new Error("lock lost"));
  relay.push(delta("a"));
  await vi.advanceTimersByTimeAsync(0);
  relay.push(delta("b"));
  await expect(relay.flush()).rejects.toThrow("lock lost");
});

test("close drops what is left and leaves no timer", async () => {
  const { written, relay } = openLog();
  relay.push(delta("a"));
  await vi.advanceTimersByTimeAsync(0);
  relay.push(delta("b"));
  await relay.close();
  await vi.advanceTimersByTimeAsync(100);
  expect(written).toEqual([{ text: "a" }]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a log beyond four million characters loses its beginning", async () => {
  const { entriesMax, relay } = openLog();
  for (let piece = 0; piece < 9; piece++) {
    relay.push(delta("x".repeat(500_000)));
    await relay.flush();
  }
  expect(entriesMax).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 5]);
});

test("how many tokens there are is told each second, behind tokens that are written anyway", async () => {
  const { counts, relay } = openLog();
  for (let token = 0; token < 25; token++) {
    relay.push(delta("x"));
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(counts.filter((count) => count !== undefined)).toEqual([11, 21]);
  expect(counts).toHaveLength(25);
});
