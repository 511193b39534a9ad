import { createJobId } from "@forebay/queue-contracts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDlqFixture, type DlqFixture, model, secretPrompt } from "./dlq-fixture.ts";

let fixture: DlqFixture;
let resets: string[];
let memory: string[];
beforeAll(async () => {
  fixture = await createDlqFixture(inject("redisUrl"));
  resets = await fixture.deadLetters(3);
  memory = await fixture.deadLetters(2, { code: "out_of_memory", message: "needs 12 GiB", tenant: "globex" });
}, 60_000);
afterAll(() => fixture[Symbol.asyncDispose]());

const idsOf = (body: { readonly [name: string]: unknown }): string[] =>
  (body["dead_letters"] as { job_id: string }[]).map(({ job_id }) => job_id);

test("operators see every tenant's dead letters, newest first, without payloads", async () => {
  const { status, body } = await fixture.call("operator", "GET", "/dlq");
  expect(status).toBe(200);
  expect(idsOf(body).toSorted()).toEqual([...resets, ...memory].toSorted());
  const times = (body["dead_letters"] as { last_failed_at: string }[]).map(
    ({ last_failed_at }) => last_failed_at,
  );
  expect(times).toEqual(times.toSorted().toReversed());
  expect(body["next_cursor"]).toBeNull();
  expect(JSON.stringify(body)).not.toContain(secretPrompt);
  expect((body["dead_letters"] as unknown[])[0]).toMatchObject({
    state: "dead",
    tenant: "globex",
    model,
    failure: { code: "out_of_memory", message: "needs 12 GiB" },
    redrives: 0,
    payload_valid: true,
  });
});

test.each([
  ["code=out_of_memory", () => memory],
  ["code=worker_lost", () => []],
  ["tenant=acme", () => resets],
  ["model=llama3.2:3b&tenant=globex", () => memory],
  ["model=other", () => []],
  ["state=dead", () => [...resets, ...memory]],
  ["state=parked", () => []],
  ["since=2020-01-01T00:00:00Z", () => [...resets, ...memory]],
  ["since=2999-01-01T00:00:00%2B01:00", () => []],
])("the list is filtered by %s", async (query, wanted) => {
  const { status, body } = await fixture.call("operator", "GET", `/dlq?${query}`);
  expect([status, idsOf(body).toSorted()]).toEqual([200, wanted().toSorted()]);
});

test("pages hold every letter once", async () => {
  const seen: string[] = [];
  let path: string | undefined = "/dlq?state=dead&limit=2";
  while (path) {
    const { body } = await fixture.call("operator", "GET", path);
    seen.push(...idsOf(body));
    const next = body["next_cursor"];
    path = typeof next === "string" ? `/dlq?state=dead&limit=2&cursor=${next}` : undefined;
  }
  expect(seen.toSorted()).toEqual([...resets, ...memory].toSorted());
});

test.each([
  ["limit=0", 400, "invalid_query"],
  ["limit=101", 400, "invalid_query"],
  ["limit=many", 400, "invalid_query"],
  ["code=nonsense", 400, "invalid_query"],
  ["state=undead", 400, "invalid_query"],
  ["since=yesterday", 400, "invalid_query"],
  ["tenant=", 400, "invalid_query"],
  ["model=", 400, "invalid_query"],
  ["colour=red", 400, "invalid_query"],
  ["limit=1&limit=2", 400, "invalid_query"],
  ["cursor=abc", 400, "invalid_cursor"],
])("the query %s is refused with %d %s", async (query, status, code) => {
  const answer = await fixture.call("operator", "GET", `/dlq?${query}`);
  expect([answer.status, answer.body["code"]]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
});

test("a cursor of one filter is refused under another", async () => {
  const { body } = await fixture.call("operator", "GET", "/dlq?state=dead&limit=1");
  const answer = await fixture.call("operator", "GET", `/dlq?limit=1&cursor=${String(body["next_cursor"])}`);
  expect([answer.status, answer.body["code"]]).toEqual([400, "invalid_cursor"]);
});

test("groups tell what fails, how often, with an example", async () => {
  const { status, body } = await fixture.call("operator", "GET", "/dlq/groups?state=dead");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    complete: true,
    groups: [
      { failure: { code: "backend_reset" }, count: 3, states: { dead: 3 }, sample: { tenant: "acme" } },
      { failure: { code: "out_of_memory" }, count: 2, states: { dead: 2 }, sample: { tenant: "globex" } },
    ],
  });
  expect(JSON.stringify(body)).not.toContain(secretPrompt);
  const paged = await fixture.call("operator", "GET", "/dlq/groups?limit=1");
  expect([paged.status, paged.body["code"]]).toEqual([400, "invalid_query"]);
});

test("admins see the payload of a dead letter, operators everything else", async () => {
  const [id = ""] = resets;
  const admin = await fixture.call("admin", "GET", `/dlq/${id}`);
  expect(admin.body).toMatchObject({
    job_id: id,
    payload: { request: { prompt: secretPrompt } },
    attempts: [
      { worker: "test-worker", code: "backend_reset", message: "the connection broke after 17 tokens" },
    ],
  });
  expect((admin.body["stack"] as string[])[0]).toContain("backend_reset: the connection broke");
  const operator = await fixture.call("operator", "GET", `/dlq/${id}`);
  const { payload: _payload, stack: _stack, ...rest } = admin.body;
  expect(operator.body).toMatchObject(rest);
  expect(operator.body).not.toHaveProperty("payload");
  expect((operator.body["stack"] as string[])[0]).toMatch(/^at /);
});

test.each([
  ["/dlq", "GET"],
  ["/dlq", "DELETE"],
  ["/dlq/groups", "GET"],
  ["/dlq/audit", "GET"],
  ["/dlq/actions/act-0123456789abcdef01234567", "GET"],
  [`/dlq/${createJobId("00000000")}`, "GET"],
  ["/dlq/redrive", "POST"],
  ["/dlq/park", "POST"],
])("%s %s is for operators: 403 for a client, 401 without a key", async (path, method) => {
  const body = method === "GET" ? undefined : { filter: {} };
  const client = await fixture.call("client", method, path, body);
  expect([client.status, client.body["code"]]).toEqual([403, "forbidden"]);
  const nobody = await fixture.call(null, method, path, body);
  expect([nobody.status, nobody.body["code"]]).toEqual([401, "unauthorized"]);
});

test.each([
  [`/dlq/${createJobId("00000000")}`, "dead_letter_not_found"],
  ["/dlq/nonsense", "dead_letter_not_found"],
  ["/dlq/actions/act-0123456789abcdef01234567", "action_not_found"],
  ["/dlq/actions/1", "action_not_found"],
])("%s answers 404 %s", async (path, code) => {
  const answer = await fixture.call("operator", "GET", path);
  expect([answer.status, answer.body["code"]]).toEqual([404, code]);
});

test("the OpenAPI document describes every route of dead letters", async () => {
  const { body } = await fixture.call(null, "GET", "/openapi.json");
  const paths = Object.keys(body["paths"] as object).filter((path) => path.startsWith("/dlq"));
  expect(paths.toSorted()).toEqual([
    "/dlq",
    "/dlq/actions/{id}",
    "/dlq/audit",
    "/dlq/groups",
    "/dlq/park",
    "/dlq/redrive",
    "/dlq/{id}",
  ]);
});
