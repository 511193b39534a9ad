import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
let mine: Record<string, string>;
let id: string;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
  mine = await api.withKey({ tenant: "mine" });
  const body = { model, input: "my secret", background: true };
  const made = await api.call("POST", "/v1/responses", { body, headers: mine });
  expect([made.status, made.body]).toMatchObject([200, { status: "queued" }]);
  id = String(made.body["id"]);
});
afterAll(() => api[Symbol.asyncDispose]());

test.each([
  ["another tenant", "client", "other", 404],
  ["an operator, who sees jobs and not what they say", "operator", "other", 404],
  ["an admin", "admin", "other", 200],
  ["the tenant", "client", "mine", 200],
] as const)("to %s it is %s of %s: %d", async (_, role, tenant, status) => {
  const headers = await api.withKey({ role, tenant });
  for (const path of ["", "?stream=true&starting_after=9", "/input_items"]) {
    const expected = status === 200 && path.includes("stream") ? 400 : status;
    expect((await api.call("GET", `/v1/responses/${id}${path}`, { headers })).status).toBe(expected);
  }
  if (status === 200) return;
  expect((await api.call("POST", `/v1/responses/${id}/cancel`, { headers })).status).toBe(404);
  expect((await api.call("DELETE", `/v1/responses/${id}`, { headers })).status).toBe(404);
  const body = { model, input: "x", previous_response_id: id };
  const followed = await api.call("POST", "/v1/responses", { body, headers });
  expect([followed.status, followed.body]).toMatchObject([
    400,
    { error: { code: "previous_response_not_found" } },
  ]);
  expect(followed.text).not.toContain("secret");
  const reference = { type: "item_reference", id: `in_${id.replace("resp_", "")}_0` };
  const referring = { model, input: [reference], background: true };
  expect((await api.call("POST", "/v1/responses", { body: referring, headers })).status).toBe(400);
  expect((await api.call("POST", "/v1/responses", { body: referring, headers: mine })).status).toBe(200);
});
