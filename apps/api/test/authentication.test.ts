import { writeFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { hashKey } from "@forebay/access-keys";
import { waitFor } from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";
import { sendRaw } from "./raw-http.ts";

let api: ApiFixture;
let key: string;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
  ({ key } = await api.keys.create({ name: "first", tenant: "acme" }));
  // It began without a key, and believes that for a second.
  await waitFor(async () => (await list({})).status === 401, { what: "open mode has ended" });
});
afterAll(() => api[Symbol.asyncDispose]());

const list = (headers: Record<string, string>) => api.call("GET", "/jobs", { headers });

test.each([
  ["Authorization: Bearer", () => ({ authorization: `Bearer ${key}` })],
  ["authorization: bearer, as some write it", () => ({ authorization: `bearer  ${key}` })],
  ["X-API-Key", () => ({ "x-api-key": key })],
  ["X-Ollama-Key, as nginx setups have it", () => ({ "x-ollama-key": key })],
])("a key is taken as %s", async (_, headers) => {
  expect((await list(headers())).status).toBe(200);
});

test.each([
  ["no key", {}, undefined],
  ["an unknown key", { authorization: "Bearer fbk_unknown" }, "invalid_token"],
  ["another scheme", { authorization: "Basic Zm9vOmJhcg==" }, "invalid_token"],
  ["an empty key", { "x-api-key": "" }, "invalid_token"],
])("%s is 401 and says how to do better", async (_, headers, error) => {
  const answer = await list(headers);
  expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  const challenge = answer.headers.get("www-authenticate") ?? "";
  expect(challenge).toMatch(/^Bearer realm="forebay"/);
  expect(challenge.includes("invalid_token")).toBe(error !== undefined);
});

test("a disabled key is 401 within a second, on every replica", async () => {
  const other = await api.startReplica();
  const { key: mine, record } = await api.keys.create({ name: "off", tenant: "acme" });
  const headers = { authorization: `Bearer ${mine}` };
  const statuses = async () =>
    Promise.all([api, other].map(async (each) => (await each.call("GET", "/jobs", { headers })).status));
  expect(await statuses()).toEqual([200, 200]);
  await api.keys.setDisabled(record.id, true);
  await expect.poll(statuses, { timeout: 5_000 }).toEqual([401, 401]);
});

test("an expired key is 401", async () => {
  const expired = { expires_at: new Date(Date.now() - 1_000).toISOString() };
  const answer = await list(await api.withKey(expired));
  expect(answer).toMatchObject({ status: 401, body: { detail: expect.stringContaining("expired") } });
});

test("a key that expires works until then", async () => {
  const later = { expires_at: new Date(Date.now() + 60_000).toISOString() };
  expect((await list(await api.withKey(later))).status).toBe(200);
});

test("keys of a file work without an entry in Redis", async () => {
  const file = path.join(tmpdir(), `forebay-keys-${randomUUID()}.json`);
  const record = {
    id: "key_0123456789",
    hash: hashKey("fbk_of_the_file"),
    name: "file",
    tenant: "filed",
    role: "client",
    created_at: new Date().toISOString(),
  };
  await writeFile(file, JSON.stringify([record]));
  const replica = await api.startReplica({ API_KEYS_PATH: file });
  await rm(file);
  const headers = { "x-api-key": "fbk_of_the_file" };
  expect((await replica.submit({}, headers)).status).toBe(202);
  expect((await replica.call("GET", "/jobs", { headers })).body.jobs).toHaveLength(1);
});

test.each([
  ["a model it may not use", { models: ["qwen3:8b"] }, {}, "model"],
  ["a lane it may not use", { lanes: ["batch" as const] }, { lane: "interactive" }, "lane"],
  ["its default lane when it may not use that", { lanes: ["batch" as const] }, {}, "lane"],
])("for %s a key is refused with 403", async (_, restrictions, fields, path) => {
  const answer = await api.submit(fields, await api.withKey(restrictions));
  expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
  expect(answer.body.errors).toEqual([expect.objectContaining({ path })]);
});

test("a key's default lane is used, and a restricted key sees only its models", async () => {
  const headers = await api.withKey({ default_lane: "batch", lanes: ["batch"], models: [model] });
  expect((await api.submit({}, headers)).body["lane"]).toBe("batch");
  await api.announce([model, "qwen3:8b"]);
  await expect
    .poll(async () => (await api.call("GET", "/models", { headers: await api.withKey() })).body["models"], {
      timeout: 5_000,
    })
    .toHaveLength(2);
  const { body } = await api.call("GET", "/models", { headers });
  expect(body["models"]).toEqual([expect.objectContaining({ name: model })]);
});

test("a role is needed for operators' routes", async () => {
  const status = async (role: "client" | "operator") =>
    (await api.call("GET", "/dlq", { headers: await api.withKey({ role }) })).status;
  expect(await status("client")).toBe(403);
  expect(await status("operator")).toBe(200);
});

test("while no key exists, callers on this machine need none, and any key will do", async () => {
  await using open = await createApiFixture(inject("redisUrl"));
  expect((await open.submit()).status).toBe(202);
  expect((await open.submit({}, { authorization: "Bearer anything" })).status).toBe(202);
});

test("a web page whose name leads to this machine is kept out while no key exists", async () => {
  await using open = await createApiFixture(inject("redisUrl"));
  const get = (host: string) => sendRaw(open.url, `GET /jobs HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect((await get("attacker.example:8080")).status).toBe(403);
  expect((await get("localhost:8080")).status).toBe(200);
  expect((await get("[::1]:8080")).status).toBe(200);
});

test("the first key ends open mode within a second", async () => {
  await using open = await createApiFixture(inject("redisUrl"));
  expect((await open.submit()).status).toBe(202);
  const headers = await open.withKey();
  await expect.poll(async () => (await open.submit()).status, { timeout: 5_000 }).toBe(401);
  expect((await open.submit({}, headers)).status).toBe(202);
});

test("what the server says about itself needs no key", async () => {
  for (const each of ["/", "/docs", "/openapi.json"]) expect((await api.call("GET", each)).status).toBe(200);
});
