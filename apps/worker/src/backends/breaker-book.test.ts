import { beforeEach, expect, test } from "vitest";
import { type BreakerBook, createBreakerBook } from "./breaker-book.ts";

let book: BreakerBook;
beforeEach(() => {
  book = createBreakerBook();
});

/** Which of two models are left alone at this time. */
const out = (now: number): string[] => ["a", "b"].filter((model) => book.isOut(model, now));
const onTrial = (): string[] => ["a", "b"].filter((model) => book.isOnTrial(model));
const fail = (model: string, signal: Parameters<BreakerBook["failed"]>[1], ...times: number[]): void => {
  for (const now of times) book.failed(model, signal, now);
};

test.each([
  ["down", 1, ["a", "b"]],
  ["reset", 2, []],
  ["reset", 3, ["a", "b"]],
  ["model", 1, []],
  ["model", 2, ["a"]],
  ["crash", 2, []],
  ["crash", 3, ["a"]],
  ["stuck", 1, ["a"]],
  ["none", 9, []],
] as const)("%s, %i times: out are %j", (signal, times, expected) => {
  fail("a", signal, ...Array.from({ length: times }, () => 0));
  expect(out(0)).toEqual(expected);
  expect(onTrial()).toEqual(expected);
});

test("failures of different models of one host are not added up", () => {
  fail("a", "crash", 0, 1);
  fail("b", "crash", 2);
  expect(out(3)).toEqual([]);
});

test("broken connections are added up over its models", () => {
  fail("a", "reset", 0, 1);
  fail("b", "reset", 2);
  expect(out(3)).toEqual(["a", "b"]);
});

test("what was out is on trial until it has served", () => {
  fail("a", "model", 0, 0);
  expect(out(30_000)).toEqual([]);
  expect(onTrial()).toEqual(["a"]);
  book.succeeded("a");
  expect(onTrial()).toEqual([]);
});

test("an answer of one model does not speak for another one, but for the host", () => {
  fail("a", "model", 0, 0);
  fail("b", "reset", 0, 0, 0);
  book.succeeded("b");
  expect(out(1)).toEqual(["a"]);
});

test("a host nobody listened at is used as soon as it answers, without a trial", () => {
  fail("a", "down", 0);
  book.answered();
  expect([out(1), onTrial()]).toEqual([[], []]);
});

test("a host that broke connections and answers lists is left alone all the same", () => {
  fail("a", "reset", 0, 0, 0);
  book.answered();
  expect(out(1)).toEqual(["a", "b"]);
});

test("a host that broke connections since it went away is used as soon as it answers again", () => {
  fail("a", "reset", 0, 0, 0);
  book.unanswered();
  book.answered();
  expect([out(1), onTrial()]).toEqual([[], []]);
});

test("a model that fell silent is left alone until it shows that it is alive, however long that takes", () => {
  fail("a", "stuck", 0);
  expect(out(3_600_000)).toEqual(["a"]);
  expect(book.silent()).toEqual(["a"]);
  book.answered();
  expect(out(1)).toEqual(["a"]);
  book.revive("a");
  expect([out(1), book.silent(), onTrial()]).toEqual([[], [], []]);
});

test("a silent model that answers a call after all is not probed any more", () => {
  fail("a", "stuck", 0);
  book.succeeded("a");
  expect([out(1), book.silent()]).toEqual([[], []]);
});
