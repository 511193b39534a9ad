import { beforeEach, expect, test } from "vitest";
import { createResidency, type LoadedModel, type Residency, type Resident } from "./residency.ts";

const resident = (model: string, num_ctx?: number): Resident => ({
  affinity: num_ctx === undefined ? model : `${model} num_ctx=${num_ctx}`,
  model,
  runner: num_ctx === undefined ? {} : { num_ctx },
});
const listed = (...names: string[]): LoadedModel[] => names.map((name) => ({ name, contextLength: 4_096 }));
const [a, b, c] = [resident("a"), resident("b"), resident("c")];

let residency: Residency;
const saw = (models: LoadedModel[]): void => residency.saw(models, residency.look());
beforeEach(() => {
  residency = createResidency();
});

/** A call that loads, and what the host lists afterwards. */
function load(what: Resident, after: string[]): void {
  residency.begin(what);
  residency.loaded(what);
  saw(listed(...after));
  residency.end(what);
}

test("a call for what is not in memory is a load, until the host has shown what became of the others", () => {
  saw(listed("a"));
  residency.begin(b);
  expect(residency.loading).toBe("b");
  expect(residency.loaded(b)).toBe(true);
  expect(residency.loading).toBe("b");
  saw(listed("b"));
  expect(residency.loading).toBeUndefined();
  expect([residency.has(a), residency.has(b)]).toEqual([false, true]);
});

test("a look while it loads, which does not list it yet, does not end the load", () => {
  residency.begin(b);
  saw(listed("a"));
  expect(residency.loading).toBe("b");
});

test("an answer that was asked for before a load ended is not believed", () => {
  saw(listed("a"));
  residency.begin(b);
  const look = residency.look();
  residency.loaded(b);
  residency.saw(listed("a"), look);
  expect([residency.loading, residency.has(b)]).toEqual(["b", true]);
  saw(listed("b"));
  expect([residency.loading, residency.has(a)]).toEqual([undefined, false]);
});

test("a load that failed is none any more, when the last call that waited for it is gone", () => {
  residency.begin(b);
  residency.begin(b);
  residency.end(b);
  expect(residency.loading).toBe("b");
  residency.end(b);
  expect(residency.loading).toBeUndefined();
});

test("a call for a loaded model is no load", () => {
  saw(listed("a"));
  residency.begin(a);
  expect(residency.loading).toBeUndefined();
  expect(residency.loaded(a)).toBe(false);
});

test("other runner options are another resident: they would load it again", () => {
  load(resident("a", 8_192), ["a"]);
  expect([residency.has(resident("a", 8_192)), residency.has(a)]).toEqual([true, false]);
});

test("a model that somebody else loaded serves whoever asks for its context, or for none", () => {
  saw(listed("a"));
  expect([a, resident("a", 4_096), resident("a", 8_192)].map((each) => residency.has(each))).toEqual([
    true,
    true,
    false,
  ]);
});

test("whether there is room shows by what a load throws out", () => {
  saw(listed("a"));
  expect(residency.room).toBeUndefined();
  load(b, ["a", "b"]);
  expect(residency.room).toBeUndefined();
  load(c, ["b", "c"]);
  expect(residency.room).toBe(false);
  saw(listed("c"));
  expect(residency.room).toBe(true);
});

test("a host that went down has nothing in memory", () => {
  saw(listed("a"));
  residency.begin(b);
  residency.forget();
  expect([residency.has(a), residency.loading]).toEqual([false, undefined]);
});
