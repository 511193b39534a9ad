import { createJobId } from "@forebay/queue-contracts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDlqFixture, type DlqFixture } from "./dlq-fixture.ts";

let fixture: DlqFixture;
beforeAll(async () => {
  fixture = await createDlqFixture(inject("redisUrl"));
}, 60_000);
afterAll(() => fixture[Symbol.asyncDispose]());

const id = createJobId("00000000");

test.each([
  ["neither filter nor ids", {}, 422, "filter"],
  ["both", { filter: {}, ids: [id] }, 422, "filter"],
  ["no ids", { ids: [] }, 422, "ids"],
  ["too many ids", { ids: Array.from({ length: 1_001 }, () => id) }, 422, "ids"],
  ["an id that is none", { ids: [id, "7"] }, 422, "ids[1]"],
  ["ids that are no list", { ids: id }, 422, "ids"],
  ["an unknown field", { filter: {}, colour: "red" }, 422, "colour"],
  ["an unknown condition", { filter: { colour: "red" } }, 422, "filter.colour"],
  ["an unknown code", { filter: { code: "nonsense" } }, 422, "filter.code"],
  ["an unknown state", { filter: { state: "undead" } }, 422, "filter.state"],
  ["a time that is none", { filter: { since: "yesterday" } }, 422, "filter.since"],
  ["a dry run that is no boolean", { filter: {}, dry_run: "yes" }, 422, "dry_run"],
  ["an empty patch", { filter: {}, patch: {} }, 422, "patch"],
  ["an unknown field of the patch", { filter: {}, patch: { prompt: "x" } }, 422, "patch.prompt"],
  ["an unknown option", { filter: {}, patch: { options: { heat: 1 } } }, 422, "patch.options.heat"],
  ["an option of a wrong type", { filter: {}, patch: { options: { seed: "1" } } }, 422, "patch.options.seed"],
  ["a rate of nothing", { filter: {}, rate_per_s: 0 }, 422, "rate_per_s"],
  ["a negative rate", { filter: {}, rate_per_s: -1 }, 422, "rate_per_s"],
  ["a list", [], 422, ""],
  ["a text", '"all of them"', 422, ""],
])("POST /dlq/redrive refuses %s and says where", async (_, body, status, path) => {
  const answer = await fixture.call("operator", "POST", "/dlq/redrive", body);
  expect([answer.status, answer.body["code"]]).toEqual([status, "invalid_body"]);
  expect((answer.body["errors"] as { path: string }[]).map((error) => error.path)).toContain(path);
  expect(String(answer.body["detail"])).not.toContain("undefined");
});

test("a patch to a model nobody has is refused before anything is done", async () => {
  const body = { filter: {}, patch: { model: "nobody-has:this" } };
  for (const dry_run of [false, true]) {
    const answer = await fixture.call("operator", "POST", "/dlq/redrive", { ...body, dry_run });
    expect([answer.status, answer.body["code"]]).toEqual([422, "model_not_found"]);
    expect(answer.body["errors"]).toEqual([{ path: "patch.model", message: "is not known here" }]);
  }
  expect((await fixture.call("operator", "GET", "/dlq/audit")).body["entries"]).toEqual([]);
});

test.each([
  ["patch", { filter: {}, patch: { model: "qwen3:8b" } }],
  ["rate_per_s", { filter: {}, rate_per_s: 1 }],
  ["erase", { ids: [id], erase: true }],
])("POST /dlq/park does not know %s", async (field, body) => {
  const answer = await fixture.call("operator", "POST", "/dlq/park", body);
  expect([answer.status, answer.body["errors"]]).toEqual([
    422,
    [{ path: field, message: "is not a known field" }],
  ]);
});

test("what is to be erased is named by its ids", async () => {
  const answer = await fixture.call("operator", "DELETE", "/dlq", { filter: {}, erase: true });
  expect([answer.status, answer.body["errors"]]).toMatchObject([422, [{ path: "erase" }]]);
});

test.each([
  ["no JSON", "{", 400, "malformed_body"],
  ["nothing", "", 400, "malformed_body"],
])("a body that is %s is refused", async (_, body, status, code) => {
  for (const [method, path] of [
    ["POST", "/dlq/redrive"],
    ["POST", "/dlq/park"],
    ["DELETE", "/dlq"],
  ] as const) {
    const answer = await fixture.call("operator", method, path, body);
    expect([answer.status, answer.body["code"]]).toEqual([status, code]);
  }
});

test.each([
  ["PUT", "/dlq", 405],
  ["GET", "/dlq/redrive", 404],
  ["DELETE", `/dlq/${id}`, 405],
])("%s %s answers %d", async (method, path, status) => {
  expect((await fixture.call("operator", method, path)).status).toBe(status);
});

test("a query where none is taken is refused", async () => {
  const answer = await fixture.call("operator", "POST", "/dlq/park?dry_run=true", { filter: {} });
  expect([answer.status, answer.body["code"]]).toEqual([400, "invalid_query"]);
});
