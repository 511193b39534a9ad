import { expect, it } from "vitest";
import { isOwnOrigin } from "./is-own-origin.ts";

const host = "board.example:8443";

it.each([
  [true, "the browser says so", { "sec-fetch-site": "same-origin" }],
  [true, "the browser says so, and hides the origin", { "sec-fetch-site": "same-origin", origin: "null" }],
  [true, "an older browser names our origin", { origin: "https://board.example:8443" }],
  [false, "another site", { "sec-fetch-site": "cross-site", origin: "https://board.example:8443" }],
  [false, "a neighbour on the same site", { "sec-fetch-site": "same-site" }],
  [false, "the address bar", { "sec-fetch-site": "none" }],
  [false, "another origin", { origin: "https://evil.example" }],
  [false, "another port", { origin: "https://board.example:9443" }],
  [false, "a longer name", { origin: "https://board.example:8443.evil.example" }],
  [false, "a page without origin", { origin: "null" }],
  [false, "no browser", {}],
])("%s: %s", (expected, _, headers) => {
  expect(isOwnOrigin({ host, ...headers })).toBe(expected);
});
