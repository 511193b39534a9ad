import { expect, test } from "vitest";
import { parseLine } from "./parse-line.ts";

const good = { custom_id: "a", method: "POST", url: "/v1/embeddings", body: { model: "m", input: "x" } };
const parse = (bytes: Buffer | undefined, index = 0) =>
  parseLine({ bytes, line: 7, index, offset: 0, length: 0 }, "/v1/embeddings", 1_000);

test("a good line says its call, also after a byte order mark", () => {
  const said = { customId: "a", body: good.body };
  expect(parse(Buffer.from(`${JSON.stringify(good)}\r`))).toEqual(said);
  expect(parse(Buffer.from(`\u{feff}${JSON.stringify(good)}`))).toEqual(said);
});

test.each([
  ["too long", undefined, "line_too_long"],
  ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "invalid_encoding"],
  ["cut JSON", '{"custom_id":"a"', "invalid_json_line"],
  ["a list", "[]", "invalid_json_line"],
  ["null", "null", "invalid_json_line"],
  ["no custom_id", { ...good, custom_id: undefined }, "invalid_custom_id"],
  ["an empty custom_id", { ...good, custom_id: "" }, "invalid_custom_id"],
  ["a number as custom_id", { ...good, custom_id: 1 }, "invalid_custom_id"],
  ["a custom_id without end", { ...good, custom_id: "x".repeat(513) }, "invalid_custom_id"],
  ["another method", { ...good, method: "GET" }, "invalid_method"],
  ["another endpoint", { ...good, url: "/v1/completions" }, "mismatched_url"],
  ["a foreign address", { ...good, url: "http://example.com" }, "invalid_url"],
  ["no body", { ...good, body: undefined }, "invalid_body"],
  ["a list as body", { ...good, body: [] }, "invalid_body"],
])("%s is refused with the number of the line", (_, line, code) => {
  const bytes = typeof line === "object" && !Buffer.isBuffer(line) ? JSON.stringify(line) : line;
  expect(parse(bytes === undefined ? undefined : Buffer.from(bytes), 3)).toMatchObject({ code, line: 7 });
});
