import { inferenceJobSchema } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { estimateJob } from "./estimate-job.ts";

const costs = { charsPerToken: 4, msPerPromptToken: 2, msPerOutputToken: 10, outputTokens: 100, loadMs: 0 };
const job = (fields: object) => inferenceJobSchema.parse({ v: 1, tenant: "acme", model: "m", ...fields });
const generate = (request: object) => job({ type: "generate", request });
const long = "x".repeat(400);

test.each([
  ["a prompt by its length, and a mean answer", generate({ prompt: long }), 100, 100],
  ["with its system prompt", generate({ prompt: long, system: long }), 200, 100],
  [
    "a shorter answer where one is asked for",
    generate({ prompt: long, options: { num_predict: 7 } }),
    100,
    7,
  ],
  ["no longer one than usual", generate({ prompt: long, options: { num_predict: 900 } }), 100, 100],
  ["num_predict -1 is no bound", generate({ prompt: long, options: { num_predict: -1 } }), 100, 100],
  ["a picture", generate({ prompt: long, images: ["aGVsbG8="] }), 700, 100],
  [
    "a conversation by all it says",
    job({ type: "chat", request: { messages: [{ role: "user", content: long }] } }),
    // The name of a role is read too.
    101,
    100,
  ],
  ["texts to embed, which have no answer", job({ type: "embed", request: { input: [long, long] } }), 200, 0],
] as const)("%s", (_, input, promptTokens, outputTokens) => {
  const costMs = promptTokens * 2 + outputTokens * 10;
  expect(estimateJob(input, costs)).toEqual({ promptTokens, outputTokens, costMs });
});
