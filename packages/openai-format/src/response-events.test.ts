import { expect, test } from "vitest";
import { createResponseFold, type ResponseEvent } from "./response-events.ts";
import type { ResponseJob } from "./response-job.ts";

const id = "j000";
const asked: ResponseJob = {
  id,
  state: "waiting",
  createdAt: new Date(1_700_000_000_000),
  finishedAt: undefined,
  begun: false,
  job: {
    v: 1,
    type: "chat",
    tenant: "acme",
    lane: "standard",
    model: "m",
    stream: true,
    request: { messages: [{ role: "user", content: "Hi" }] },
    response: { input: 1 },
  },
  result: undefined,
  failure: undefined,
};
const call = (a: number) => ({ id: `ollama${a}`, function: { name: "add", arguments: { a } } });
const answered = (message: object, done_reason = "stop"): ResponseJob =>
  ({
    ...asked,
    state: "completed",
    begun: true,
    finishedAt: new Date(1_700_000_009_000),
    result: {
      type: "chat",
      model: "m",
      done_reason,
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, gpu_ms: 9 },
      message: { role: "assistant", content: "", ...message },
    },
  }) as unknown as ResponseJob;
const failed = {
  ...asked,
  state: "failed",
  failure: { code: "runner_crashed", message: "It broke." },
} as const;

/** As the API has it: what is sent only grows. */
function createContinuation() {
  type Said = { text: string; thinking: string; toolCalls: readonly unknown[] };
  const empty = (): Said => ({ text: "", thinking: "", toolCalls: [] });
  let [sent, now] = [empty(), empty()];
  const join = (a: Said, b: Said): Said => ({
    text: a.text + b.text,
    thinking: a.thinking + b.thinking,
    toolCalls: [...a.toolCalls, ...b.toolCalls],
  });
  return {
    get behind() {
      return (
        now.text.length < sent.text.length ||
        now.thinking.length < sent.thinking.length ||
        now.toolCalls.length < sent.toolCalls.length
      );
    },
    restart: () => void (now = empty()),
    add(grown: Said): Said | undefined {
      now = join(now, grown);
      if (!now.text.startsWith(sent.text.slice(0, now.text.length))) return undefined;
      if (!now.thinking.startsWith(sent.thinking.slice(0, now.thinking.length))) return undefined;
      const fresh = {
        text: now.text.slice(sent.text.length),
        thinking: now.thinking.slice(sent.thinking.length),
        toolCalls: now.toolCalls.slice(sent.toolCalls.length),
      };
      sent = join(sent, fresh);
      return fresh;
    },
  };
}

type Entry = { event: string; data: object; follows?: number; seq?: number };
const token = (data: object): Entry => ({ event: "token", data });
const active: Entry = { event: "state", data: { state: "active", at_ms: 1 } };
const restart: Entry = { event: "restart", data: { attempt: 2 } };

function fold(entries: readonly Entry[], ended?: ResponseJob): ResponseEvent[] {
  const made = createResponseFold(asked, createContinuation());
  let seq = 1;
  return [
    ...made.begin(),
    ...entries.flatMap(({ event, data, ...more }) => {
      seq = more.seq ?? seq + 1;
      return made.entry({ seq, follows: more.follows ?? seq - 1, event, data: JSON.stringify(data) });
    }),
    ...(ended ? made.end(ended) : []),
  ];
}
const told = (events: readonly ResponseEvent[]) =>
  events.map(({ sequence_number, type }) => `${sequence_number} ${type}`);
const textOf = (events: readonly ResponseEvent[]) =>
  events.flatMap(({ type, delta }) => (type === "response.output_text.delta" ? [delta] : [])).join("");

test("thoughts, words and calls are items, one after the other, numbered from 0", () => {
  const entries = [
    active,
    token({ thinking: "hm" }),
    token({ text: "Hel" }),
    token({ text: "lo", tool_calls: [call(1)] }),
  ];
  const message = { content: "Hello", thinking: "hm", tool_calls: [call(1)] };
  const events = fold(entries, answered(message));
  expect(told(events)).toEqual(
    [
      "response.created",
      "response.queued",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.reasoning_text.delta",
      "response.reasoning_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ].map((type, index) => `${index} ${type}`),
  );
  const done = events.flatMap(({ type, item }) => (type === "response.output_item.done" ? [item] : []));
  const { response } = events.at(-1) as unknown as { response: { output: unknown[] } };
  expect(done).toEqual(response.output);
});

test("a job without tokens in its log has the same items, all at the end", () => {
  const message = { content: "Hello", thinking: "hm" };
  const whole = fold([active], answered(message)).filter(({ type }) => !type.endsWith("delta"));
  const pieces = fold([active, token({ thinking: "hm" }), token({ text: "Hello" })], answered(message));
  expect(whole.map(({ type }) => type)).toEqual(
    pieces.filter(({ type }) => !type.endsWith("delta")).map(({ type }) => type),
  );
});

test("an answer that was cut is incomplete, and says so twice", () => {
  const events = fold([active, token({ text: "Hel" })], answered({ content: "Hel" }, "length"));
  expect(events.at(-1)).toMatchObject({
    type: "response.incomplete",
    response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
  });
  expect(events.at(-2)).toMatchObject({ type: "response.output_item.done", item: { status: "incomplete" } });
});

test("a new attempt with the same words goes on, and the numbers with it", () => {
  const before = [active, token({ thinking: "hm" }), token({ text: "Hello" })];
  const entries = [
    ...before,
    restart,
    active,
    token({ thinking: "hm", text: "Hel" }),
    token({ text: "lo you" }),
  ];
  const events = fold(entries, answered({ content: "Hello you", thinking: "hm" }));
  expect(textOf(events)).toBe("Hello you");
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.at(-1)?.type).toBe("response.completed");
  expect(events.slice(0, fold(before).length)).toEqual(fold(before));
});

test.each([
  ["other words", [token({ text: "Hel" }), restart, token({ text: "No" })], { content: "No" }],
  ["fewer words", [token({ text: "Hello" }), restart, token({ text: "Hel" })], { content: "Hel" }],
  [
    "more thoughts than the closed ones",
    [token({ thinking: "a", text: "b" }), restart, token({ thinking: "aa", text: "b" })],
    { content: "b", thinking: "aa" },
  ],
  [
    "fewer calls",
    [token({ tool_calls: [call(1), call(2)] }), restart, token({ tool_calls: [call(1)] })],
    { tool_calls: [call(1)] },
  ],
])("a new attempt with %s ends the stream with an error, and nothing after it", (_, entries, message) => {
  const events = fold([active, ...entries, token({ text: "more" })], answered(message));
  expect(events.filter(({ type }) => type === "error")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "error", code: "stream_interrupted" });
});

test("a failure ends the stream; put back, its number stays taken", () => {
  const entries = [active, token({ text: "Hel" })];
  const first = fold(entries, failed);
  expect(first.at(-1)).toMatchObject({
    type: "response.failed",
    response: { status: "failed", error: { code: "server_error", message: "runner_crashed: It broke." } },
  });
  const back = [
    { event: "state", data: { state: "failed" } },
    restart,
    { event: "state", data: { state: "waiting" } },
  ];
  const again = fold([...entries, ...back, active, token({ text: "Hello" })], answered({ content: "Hello" }));
  expect(again.slice(0, first.length - 1)).toEqual(first.slice(0, -1));
  const numbers = again.map((event) => event.sequence_number);
  expect(numbers).not.toContain(first.at(-1)?.sequence_number);
  expect(textOf(again)).toBe("Hello");
});

test("what Redis lost leaves numbers out: none stands for two events", () => {
  const seen = fold([active, token({ text: "a" }), token({ text: "b" }), token({ text: "c" })]);
  const lost = [active, token({ text: "a" }), { ...restart, seq: 6, follows: 3 }, token({ text: "abcd" })];
  const after = fold(lost);
  const [known, later] = [after.slice(0, 6), after.slice(6)];
  expect(seen.slice(0, 6)).toEqual(known);
  expect(Math.min(...later.map((event) => event.sequence_number))).toBeGreaterThan(
    seen.at(-1)?.sequence_number ?? 0,
  );
  expect(textOf(after)).toBe("abcd");
});
