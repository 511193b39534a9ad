import { expect, test } from "vitest";
import { createHomeTimes } from "./home-times.ts";

test("a model is served since it came to the last host it has, and not at all when it has none", () => {
  const homes = createHomeTimes();
  const seen = [1, 1, 2, 1, 0, 1].map((count, index) => {
    homes.saw("a", count, 100 * (index + 1));
    return homes.since("a");
  });
  expect(seen).toEqual([100, 100, 300, 300, 0, 600]);
  expect(homes.since("b")).toBe(0);
});
