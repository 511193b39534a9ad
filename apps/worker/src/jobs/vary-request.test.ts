import { affinityOf, inferenceJobSchema, type StartRecord } from "@forebay/queue-contracts";
import { describe, expect, test } from "vitest";
import { varyRequest } from "./vary-request.ts";

const failedWith = (...codes: (string | undefined)[]): StartRecord[] =>
  codes.map((code) => ({ at: "2026-01-01T00:00:00.000Z", worker: "w", code }));
const jobWith = (options: Record<string, unknown> = {}) =>
  inferenceJobSchema.parse({
    v: 1,
    type: "generate",
    tenant: "acme",
    model: "m",
    request: { prompt: "Hello", options },
  });

test.each([
  ["the first time", []],
  ["after a broken connection", ["backend_reset"]],
  ["after a crash and silence", ["runner_crashed", "backend_stuck"]],
  ["after a start whose worker died", [undefined]],
] as const)("%s the very same request is sent", (_, codes) => {
  const job = jobWith({ seed: 7 });
  expect(varyRequest(job, failedWith(...codes))).toBe(job);
});

describe("after a failure of sampling", () => {
  test.each(["truncated_answer", "empty_answer", "invalid_tool_call", "schema_mismatch"])(
    "(%s) another seed and more penalty on repetition are sent",
    (code) => {
      const varied = varyRequest(jobWith({ seed: 7, temperature: 0.2 }), failedWith(code));
      expect(varied.request.options).toEqual({ seed: 8, temperature: 0.2, repeat_penalty: 1.1 });
    },
  );

  test("each further one goes further", () => {
    const twice = failedWith("truncated_answer", "backend_reset", "empty_answer");
    const varied = varyRequest(jobWith({ seed: 7, repeat_penalty: 1.5 }), twice);
    expect(varied.request.options).toEqual({ seed: 9, repeat_penalty: 1.7 });
  });

  test.each([
    ["no seed", {}],
    ["a seed of -1", { seed: -1 }],
  ])("%s stays what it is: another one each time", (_, options) => {
    const varied = varyRequest(jobWith(options), failedWith("truncated_answer"));
    expect(varied.request.options?.seed).toBe(-1);
  });

  test("a penalty below 1, which rewards repetition, is turned around", () => {
    const varied = varyRequest(jobWith({ repeat_penalty: 0.5 }), failedWith("truncated_answer"));
    expect(varied.request.options?.repeat_penalty).toBe(1.1);
  });

  test("the job stays on its queue and is not changed itself", () => {
    const job = jobWith({ seed: 7, num_ctx: 8_192 });
    const before = structuredClone(job);
    const varied = varyRequest(job, failedWith("truncated_answer"));
    expect(job).toEqual(before);
    const affinity = ({ model, request }: typeof job) => affinityOf({ model, options: request.options });
    expect(affinity(varied)).toEqual(affinity(job));
  });

  test("a chat is varied in the same way, an embedding never", () => {
    const common = { v: 1, tenant: "acme", model: "m" };
    const chat = inferenceJobSchema.parse({
      ...common,
      type: "chat",
      request: { messages: [{ role: "user", content: "Hello" }], options: { seed: 1 } },
    });
    const embed = inferenceJobSchema.parse({ ...common, type: "embed", request: { input: "Hello" } });
    const earlier = failedWith("empty_answer");
    expect(varyRequest(chat, earlier).request.options?.seed).toBe(2);
    expect(varyRequest(embed, earlier)).toBe(embed);
  });
});
