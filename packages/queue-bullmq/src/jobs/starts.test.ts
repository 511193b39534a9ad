import { describe, expect, test } from "vitest";
import { parseStarts, type StartsLine, startsLine } from "./starts.ts";

const at_ms = Date.parse("2026-01-01T00:00:00.000Z");
const start = (worker: string): StartsLine => ({ start: { at_ms, worker } });
const end = (outcome: "completed" | "retry", code?: string): StartsLine => ({
  end: { ended_at: "2026-01-01T00:00:09.000Z", outcome, gpu_ms: 9, ...(code === undefined ? {} : { code }) },
});
const fresh: StartsLine = { fresh: true };
const textOf = (...lines: StartsLine[]): string => lines.map(startsLine).join("");

test("nothing is no start", () => {
  const none = { all: [], sinceFresh: [], putBack: false };
  for (const text of [undefined, null, "", "\n"]) expect(parseStarts(text)).toEqual(none);
});

test("lines of one start are one record", () => {
  const text = textOf(start("w-1"), { backend: "gpu-1" }, end("retry", "backend_reset"));
  expect(parseStarts(text).all).toEqual([
    {
      at: "2026-01-01T00:00:00.000Z",
      worker: "w-1",
      backend: "gpu-1",
      ended_at: "2026-01-01T00:00:09.000Z",
      outcome: "retry",
      code: "backend_reset",
      gpu_ms: 9,
    },
  ]);
});

test("a start whose worker died has no end, and the next one has its own", () => {
  const { all } = parseStarts(textOf(start("w-1"), { backend: "gpu-1" }, start("w-2"), end("completed")));
  expect(all.map(({ worker, backend, outcome }) => [worker, backend, outcome])).toEqual([
    ["w-1", "gpu-1", undefined],
    ["w-2", undefined, "completed"],
  ]);
});

describe("putting back by hand", () => {
  test("counts anew and keeps the history", () => {
    const starts = parseStarts(textOf(start("w-1"), end("retry"), fresh, start("w-2"), fresh, start("w-3")));
    expect(starts.all.map(({ worker }) => worker)).toEqual(["w-1", "w-2", "w-3"]);
    expect(starts.sinceFresh.map(({ worker }) => worker)).toEqual(["w-3"]);
    expect(starts.putBack).toBe(true);
  });
  test("of a job that never began", () => {
    expect(parseStarts(textOf(fresh))).toEqual({ all: [], sinceFresh: [], putBack: true });
  });
});

test.each([
  ["no JSON", "oops"],
  ["another kind of JSON", "[]"],
  ["null", "null"],
  ["a start without its time", '{"start":{"worker":"w-9"}}'],
  ["a start no calendar has", '{"start":{"at_ms":1e300,"worker":"w-9"}}'],
  ["an end of another shape", '{"end":{"outcome":"exploded"}}'],
  ["a backend that is no text", '{"backend":{}}'],
  ["a line cut off", '{"start":{"at_ms":1,"wor'],
])("a line that is damaged (%s) is passed over", (_, line) => {
  const text = `${textOf(start("w-1"))}${line}\n${textOf(end("completed"), start("w-2"))}`;
  const { all } = parseStarts(text);
  expect(all.map(({ worker, outcome }) => [worker, outcome])).toEqual([
    ["w-1", "completed"],
    ["w-2", undefined],
  ]);
});

test("lines before any start say nothing", () => {
  expect(parseStarts(textOf({ backend: "gpu-1" }, end("completed"))).all).toEqual([]);
});
