import { expect, test } from "vitest";
import { createAnswerContinuation } from "./continue-answer.ts";

const delta = (text: string, thinking = "", toolCalls: unknown[] = []) => ({ text, thinking, toolCalls });

test("what comes is passed on as it comes", () => {
  const answer = createAnswerContinuation();
  expect(answer.add(delta("Hel", "hm"))).toEqual(delta("Hel", "hm"));
  expect(answer.add(delta("lo", "", ["call"]))).toEqual(delta("lo", "", ["call"]));
});

test("a new attempt with the same words goes on where the client is, however it is cut", () => {
  const answer = createAnswerContinuation();
  answer.add(delta("Hello wor", "hm", ["a"]));
  answer.restart();
  expect(answer.add(delta("Hel", "hm"))).toEqual(delta(""));
  expect(answer.add(delta("lo world", "", ["a", "b"]))).toEqual(delta("ld", "", ["b"]));
  expect(answer.add(delta("!"))).toEqual(delta("!"));
});

test("a new attempt with other words is found out at the first of them", () => {
  const answer = createAnswerContinuation();
  answer.add(delta("Hello"));
  answer.restart();
  expect(answer.add(delta("Hell"))).toEqual(delta(""));
  expect(answer.add(delta(" no"))).toBeUndefined();
});

test("a restart before anything was sent changes nothing", () => {
  const answer = createAnswerContinuation();
  answer.restart();
  expect(answer.add(delta("any"))).toEqual(delta("any"));
});

test("a new attempt that calls another tool, or with other arguments, is found out; another id is none", () => {
  const call = (id: string, a: number) => ({ id, function: { name: "add", arguments: { a } } });
  const continued = (next: unknown) => {
    const answer = createAnswerContinuation();
    answer.add(delta("", "", [call("x", 1)]));
    answer.restart();
    return answer.add(delta("", "", [next]));
  };
  expect(continued(call("y", 1))).toEqual(delta(""));
  expect(continued(call("x", 2))).toBeUndefined();
});

test("a new attempt that ends before it has caught up is found out", () => {
  const answer = createAnswerContinuation();
  answer.add(delta("Hello you", "hm"));
  expect(answer.behind).toBe(false);
  answer.restart();
  answer.add(delta("Hello", "hm"));
  expect(answer.behind).toBe(true);
  answer.add(delta(" you"));
  expect(answer.behind).toBe(false);
});
