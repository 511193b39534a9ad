import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { inferenceJobSchema } from "../src/index.ts";
import { badPayloads, goodPayloads } from "./payload-cases.ts";

test.each(goodPayloads)("%s is accepted, and what was parsed parses again to the same", (_, payload) => {
  const parsed = inferenceJobSchema.parse(payload);
  // As BullMQ stores it.
  expect(inferenceJobSchema.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
});

test.each(badPayloads)("%s is refused, and the error names where (%#)", (_, payload, where) => {
  const { success, error } = inferenceJobSchema.safeParse(payload);
  expect(success).toBe(false);
  expect(error?.issues.flatMap(placesOf).join("\n")).toContain(where);
});

/** Paths and names in an issue, also of the branches of a union. */
function placesOf(issue: z.core.$ZodIssue): string[] {
  const inside = issue.code === "invalid_union" ? issue.errors.flat().flatMap(placesOf) : [];
  const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
  return [issue.path.join("."), ...unknown, ...inside];
}

describe("what a payload leaves out", () => {
  test("is filled in: standard lane, streamed, no text", () => {
    const request = { messages: [{ role: "assistant" }] };
    const job = { v: 1, type: "chat", tenant: "acme", model: "qwen3", request };
    expect(inferenceJobSchema.parse(job)).toEqual({
      ...job,
      lane: "standard",
      stream: true,
      request: { messages: [{ role: "assistant", content: "" }] },
    });
  });
});
