import { expect, test } from "vitest";
import { isNews, type PlaceNews } from "./place-news.ts";

const at = (queue_position: number, eta_s: number | null): PlaceNews => ({
  queue_position,
  eta_s,
  eta_range_s: eta_s === null ? null : [eta_s, eta_s],
});

test.each<[string, PlaceNews | undefined, PlaceNews, number, boolean]>([
  ["the first thing said is news", undefined, at(5, 50), 0, true],
  ["time passing as foretold is none", at(5, 50), at(4, 40), 10, false],
  ["nor is a little more", at(5, 50), at(5, 43), 10, false],
  ["later than foretold is", at(5, 50), at(5, 50), 10, true],
  ["and so is earlier", at(5, 50), at(1, 10), 10, true],
  ["being next is", at(1, 2), at(0, 1.5), 1, true],
  ["hosts that went away are", at(5, 50), at(5, null), 1, true],
  ["where nobody can tell, another position is", at(5, null), at(4, null), 1, true],
  ["and the same is not", at(5, null), at(5, null), 9, false],
])("%s", (_, told, now, elapsedS, news) => {
  expect(isNews(told, now, elapsedS)).toBe(news);
});
