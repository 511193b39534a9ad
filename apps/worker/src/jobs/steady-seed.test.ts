import { inferenceJobSchema } from "@forebay/queue-contracts";
import { expect, test } from "vitest";
import { steadySeed } from "./steady-seed.ts";

const jobWith = (options: object, response?: object) =>
  inferenceJobSchema.parse({
    v: 1,
    type: "chat",
    tenant: "acme",
    model: "m",
    request: { messages: [{ role: "user", content: "Hi" }], options },
    ...(response && { response }),
  });
const seedOf = (id: string, job: ReturnType<typeof jobWith>) => steadySeed(id, job).request.options?.seed;

test("a response has the same seed at every start, and another one than other responses", () => {
  const job = jobWith({}, { input: 1 });
  expect(seedOf("a", job)).toBe(seedOf("a", job));
  expect(seedOf("a", job)).not.toBe(seedOf("b", job));
  expect(seedOf("a", job)).toBeGreaterThanOrEqual(0);
});

test("a seed that was asked for stays, and other jobs are left alone", () => {
  expect(seedOf("a", jobWith({ seed: 7 }, { input: 1 }))).toBe(7);
  expect(seedOf("a", jobWith({}))).toBeUndefined();
});
