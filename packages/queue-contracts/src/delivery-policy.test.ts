import { describe, expect, test } from "vitest";
import {
  backoffMs,
  defaultDeliveryPolicy,
  deliveryOptions,
  deliveryPolicySchema,
  inferenceJobName,
} from "./delivery-policy.ts";
import { lanePriority, laneSchema } from "./lane.ts";

const policy = deliveryPolicySchema.parse({ backoffBaseMs: 1_000, backoffMaxMs: 10_000, backoffJitter: 0.5 });
const almostOne = 1 - Number.EPSILON;

describe("the wait before the next try", () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 10_000],
    [1_000, 10_000],
  ])("after try %i is between half and all of %i ms", (made, full) => {
    expect(backoffMs(made, policy, 0)).toBe(full);
    expect(backoffMs(made, policy, 0.5)).toBe(full * 0.75);
    expect(backoffMs(made, policy, almostOne)).toBe(full / 2);
  });

  test("without jitter is exact, with full jitter may be nothing, and without a base is nothing", () => {
    expect(backoffMs(2, { ...policy, backoffJitter: 0 }, 0.9)).toBe(2_000);
    expect(backoffMs(2, { ...policy, backoffJitter: 1 }, almostOne)).toBe(0);
    expect(backoffMs(3, { ...policy, backoffBaseMs: 0 }, 0)).toBe(0);
  });

  test("never gets longer than the limit by a count that makes no sense", () => {
    expect(backoffMs(0, policy, 0)).toBe(1_000);
    expect(backoffMs(-3, policy, 0)).toBe(1_000);
  });
});

describe("BullMQ's options of a job", () => {
  test.each(laneSchema.options)(
    "carry lane %s as its priority, never 0, which would overtake all",
    (lane) => {
      const { priority } = deliveryOptions({ lane });
      expect(priority).toBe(lanePriority[lane]);
      expect(priority).toBeGreaterThan(0);
      expect(priority).toBeLessThanOrEqual(2_097_151);
    },
  );

  test("carry the policy's attempts unless the job says its own", () => {
    expect(deliveryOptions({ lane: "standard" }).attempts).toBe(defaultDeliveryPolicy.attempts);
    expect(deliveryOptions({ lane: "standard", attempts: 7 }).attempts).toBe(7);
    expect(deliveryOptions({ lane: "standard" }, { ...defaultDeliveryPolicy, attempts: 1 }).attempts).toBe(1);
  });

  test("order the lanes: interactive, standard, batch", () => {
    const { interactive, standard, batch } = lanePriority;
    expect([batch, interactive, standard].toSorted((a, b) => a - b)).toEqual([interactive, standard, batch]);
  });
});

test("the policy nobody configured is three tries and results for a day", () => {
  expect(defaultDeliveryPolicy).toEqual({
    attempts: 3,
    backoffBaseMs: 2_000,
    backoffMaxMs: 60_000,
    backoffJitter: 0.5,
    workerLossesMax: 2,
    completedAgeS: 86_400,
    completedCount: 10_000,
    failedAgeS: 604_800,
    deadLetterAgeS: 2_592_000,
  });
  expect(inferenceJobName).toBe("infer");
});

test.each([
  ["attempts", 0],
  ["attempts", 11],
  ["attempts", 1.5],
  ["backoffBaseMs", -1],
  ["backoffJitter", 1.1],
  ["workerLossesMax", -1],
  ["completedAgeS", 0],
  ["completedCount", 0],
])("a policy with %s = %d is refused", (name, value) => {
  expect(deliveryPolicySchema.safeParse({ [name]: value }).success).toBe(false);
});
