import { expect, test } from "vitest";
import { createCachedReading } from "./cached-reading.ts";

function counting() {
  const state = { now: 0, readings: 0, broken: false };
  const read = async (): Promise<number> => {
    state.readings++;
    if (state.broken) throw new Error("broken");
    return state.readings;
  };
  return { state, reading: createCachedReading(read, 1_000, () => state.now) };
}

test("a reading is believed until it is too old", async () => {
  const { state, reading } = counting();
  expect(await reading.get()).toBe(1);
  state.now = 999;
  expect(await reading.get()).toBe(1);
  state.now = 1_000;
  expect(await reading.get()).toBe(2);
});

test("those who ask at the same time share one reading", async () => {
  const { state, reading } = counting();
  expect(await Promise.all([reading.get(), reading.get(), reading.get()])).toEqual([1, 1, 1]);
  expect(state.readings).toBe(1);
});

test("whoever needs a fresher one gets it, and everybody after has it", async () => {
  const { state, reading } = counting();
  await reading.get();
  state.now = 100;
  expect(await reading.get(50)).toBe(2);
  expect(await reading.get()).toBe(2);
});

test("a failure is told to those who waited and not remembered", async () => {
  const { state, reading } = counting();
  state.broken = true;
  await expect(Promise.all([reading.get(), reading.get()])).rejects.toThrow("broken");
  state.broken = false;
  expect(await reading.get()).toBe(2);
});
