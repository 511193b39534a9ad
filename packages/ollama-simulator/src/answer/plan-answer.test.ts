import { describe, expect, test } from "vitest";
import type { Answer } from "./answer.ts";
import { type AnswerRequest, planAnswer } from "./plan-answer.ts";

const request: AnswerRequest = {
  identity: "llama3.2:3b\nWhy is the sky blue?",
  seed: undefined,
  numPredict: -1,
  stop: [],
  think: false,
  format: { kind: "text" },
  calls: [],
  text: undefined,
};

function text({ parts }: Answer, kind = "content"): string {
  return parts.map((part) => (part.kind !== "tool_calls" && part.kind === kind ? part.text : "")).join("");
}

test("the same request gives the same answer; another prompt, model or seed another one", () => {
  const answer = text(planAnswer(request));
  expect(text(planAnswer({ ...request }))).toBe(answer);
  expect(text(planAnswer({ ...request, seed: 7 }))).toBe(text(planAnswer({ ...request, seed: 7 })));
  expect(text(planAnswer({ ...request, seed: 7 }))).not.toBe(answer);
  expect(text(planAnswer({ ...request, identity: "llama3.2:3b\nWhy?" }))).not.toBe(answer);
});

test("an answer is a paragraph of 60 to 120 tokens on average", () => {
  const lengths = Array.from({ length: 200 }, (_, seed) => planAnswer({ ...request, seed }).parts.length);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  expect(mean).toBeGreaterThan(60);
  expect(mean).toBeLessThan(120);
});

describe("num_predict", () => {
  test.each([0, 1, 5, 500])(
    "of %i gives as many tokens, and a longer answer would have come",
    (numPredict) => {
      const answer = planAnswer({ ...request, numPredict });
      expect([answer.parts.length, answer.doneReason]).toEqual([numPredict, "length"]);
    },
  );

  test("that cuts an answer short is reported as length", () => {
    expect(planAnswer({ ...request, numPredict: 5 }).doneReason).toBe("length");
    expect(planAnswer(request).doneReason).toBe("stop");
  });

  test("counts thinking as well, so that nothing may be left for the answer", () => {
    const answer = planAnswer({ ...request, think: "high", numPredict: 10 });
    expect(text(answer)).toBe("");
    expect(answer.doneReason).toBe("length");
  });
});

describe("stop", () => {
  test("ends the answer before the sequence, even inside a token", () => {
    const whole = text(planAnswer(request));
    const sequence = whole.slice(31, 40);
    const answer = planAnswer({ ...request, stop: ["no such text", sequence] });
    expect(text(answer)).toBe(whole.slice(0, whole.indexOf(sequence)));
    expect(answer.doneReason).toBe("stop");
  });

  test("that never comes up changes nothing", () => {
    expect(planAnswer({ ...request, stop: ["§"] })).toEqual(planAnswer(request));
  });
});

test("thinking comes first, and more of it at a higher level", () => {
  const kinds = planAnswer({ ...request, think: "medium" }).parts.map((part) => part.kind);
  expect(kinds.lastIndexOf("thinking")).toBe(kinds.indexOf("content") - 1);
  const thought = (think: "low" | "high") => text(planAnswer({ ...request, think }), "thinking").length;
  expect(thought("high")).toBeGreaterThan(thought("low"));
});

test("format json gives an object, a schema an instance", () => {
  expect(JSON.parse(text(planAnswer({ ...request, format: { kind: "json" } })))).toBeTypeOf("object");
  const schema = { type: "object", properties: { colour: { enum: ["blue"] } }, required: ["colour"] };
  const answer = planAnswer({ ...request, format: { kind: "schema", schema } });
  expect(JSON.parse(text(answer))).toEqual({ colour: "blue" });
});

test("wanted calls are made instead of an answer, in one part that costs several tokens", () => {
  const parameters = { type: "object", properties: { city: { const: "Bern" } }, required: ["city"] };
  const { parts } = planAnswer({ ...request, calls: [{ name: "weather", parameters }] });
  expect(parts).toEqual([
    {
      kind: "tool_calls",
      calls: [
        {
          id: expect.stringMatching(/^call_[a-z0-9]{8}$/),
          function: { index: 0, name: "weather", arguments: { city: "Bern" } },
        },
      ],
      tokens: expect.any(Number),
    },
  ]);
});

test("a given text is said as it is", () => {
  expect(text(planAnswer({ ...request, text: "Exactly this,\n  no more." }))).toBe(
    "Exactly this,\n  no more.",
  );
  expect(planAnswer({ ...request, text: "" }).parts).toEqual([]);
});
