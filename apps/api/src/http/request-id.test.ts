import { expect, test } from "vitest";
import { createRequestIds } from "./request-id.ts";

test.each(["a", "0af7651916cd43dd8448eb211c80319c", "x".repeat(128), "a/b:c.d_e-f+g="])(
  "%s is kept",
  (id) => {
    expect(createRequestIds()(id)).toBe(id);
  },
);

test.each([undefined, "", "a b", "a\nb", '"a"', "x".repeat(129), "é"])("%s is replaced", (id) => {
  const ids = createRequestIds();
  expect(ids(id)).toMatch(/^req_[0-9a-f]{12}\d$/);
  expect(ids(id)).not.toBe(ids(id));
});

test("two processes do not give out the same", () => {
  expect(createRequestIds()(undefined)).not.toBe(createRequestIds()(undefined));
});
