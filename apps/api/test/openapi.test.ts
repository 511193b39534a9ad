import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Answer, type ApiFixture, completes, createApiFixture, model } from "./api-fixture.ts";

type Schema = Record<string, unknown>;
type Operation = {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

let api: ApiFixture;
let document: Document;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"));
  document = (await api.call("GET", "/openapi.json")).body as unknown as Document;
});
afterAll(() => api[Symbol.asyncDispose]());

/** Whether an answer is one the document describes. */
function validate(method: string, path: string, { status, headers, body }: Answer): string[] {
  const type = headers.get("content-type") ?? "";
  const schema = document.paths[path]?.[method]?.responses[status]?.content?.[type]?.schema;
  if (!schema) return [`${method} ${path} does not describe ${status} as ${type}`];
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const check = ajv.compile({ ...schema, components: document.components });
  return check(body) ? [] : (check.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

test("the document is OpenAPI 3.1, and every reference in it leads somewhere", () => {
  expect(document.openapi).toBe("3.1.0");
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(5);
  for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? "");
});

test("every route is described, under a name of its own", async () => {
  const names = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((each) => each.operationId),
  );
  expect(new Set(names).size).toBe(names.length);
  for (const [method, path] of [
    ["post", "/jobs"],
    ["get", "/jobs"],
    ["get", "/jobs/{id}"],
    ["delete", "/jobs/{id}"],
    ["post", "/jobs/{id}/cancel"],
    ["post", "/jobs/{id}/retry"],
    ["get", "/models"],
    ["post", "/v1/chat/completions"],
    ["post", "/v1/completions"],
    ["post", "/v1/embeddings"],
    ["post", "/v1/messages"],
    ["post", "/v1/responses"],
    ["get", "/v1/responses/{id}"],
    ["delete", "/v1/responses/{id}"],
    ["post", "/v1/responses/{id}/cancel"],
    ["get", "/v1/responses/{id}/input_items"],
    ["get", "/v1/models"],
    ["get", "/v1/models/{id}"],
    ["post", "/api/generate"],
    ["post", "/api/chat"],
    ["post", "/api/embed"],
    ["post", "/api/embeddings"],
    ["get", "/api/tags"],
    ["get", "/api/ps"],
    ["get", "/api/version"],
    ["post", "/api/show"],
  ] as const) {
    expect(document.paths[path]).toHaveProperty(method);
  }
});

test("answers are what the document says", async () => {
  const submitted = await api.submit({ options: { num_ctx: 4_096 } });
  const id = submitted.body.job_id;
  const path = `/jobs/${id}`;
  const respond = { body: { model, input: "Hi", background: true } };
  const response = await api.call("POST", "/v1/responses", respond);
  const responsePath = `/v1/responses/${String(response.body["id"])}`;
  const problems = [
    ...validate("post", "/jobs", submitted),
    ...validate("post", "/jobs", await api.submit({ prompt: "" })),
    ...validate("post", "/jobs", await api.submit({ model: "unknown" })),
    ...validate("get", "/jobs/{id}", await api.call("GET", path)),
    ...validate("get", "/jobs/{id}", await api.call("GET", "/jobs/none")),
    ...validate("post", "/jobs/{id}/cancel", await api.call("POST", `${path}/cancel`)),
    ...validate("post", "/jobs/{id}/cancel", await api.call("POST", `${path}/cancel`)),
    ...validate("post", "/jobs/{id}/retry", await api.call("POST", `${path}/retry`)),
    ...validate("get", "/jobs", await api.call("GET", "/jobs")),
    ...validate("get", "/jobs", await api.call("GET", "/jobs?limit=x")),
    ...validate("get", "/models", await api.call("GET", "/models")),
    ...validate("get", "/v1/models", await api.call("GET", "/v1/models")),
    ...validate("get", "/v1/models/{id}", await api.call("GET", `/v1/models/${model}`)),
    ...validate("get", "/v1/models/{id}", await api.call("GET", "/v1/models/none")),
    ...validate("post", "/v1/embeddings", await api.call("POST", "/v1/embeddings", { body: {} })),
    ...validate("post", "/v1/messages", await api.call("POST", "/v1/messages", { body: {} })),
    ...validate("post", "/v1/responses", response),
    ...validate("post", "/v1/responses", await api.call("POST", "/v1/responses", { body: {} })),
    ...validate("get", "/v1/responses/{id}", await api.call("GET", responsePath)),
    ...validate("get", "/v1/responses/{id}", await api.call("GET", "/v1/responses/none")),
    ...validate(
      "get",
      "/v1/responses/{id}/input_items",
      await api.call("GET", `${responsePath}/input_items`),
    ),
    ...validate("post", "/v1/responses/{id}/cancel", await api.call("POST", `${responsePath}/cancel`)),
    ...validate("delete", "/v1/responses/{id}", await api.call("DELETE", responsePath)),
    ...validate("get", "/api/tags", await api.call("GET", "/api/tags")),
    ...validate("get", "/api/ps", await api.call("GET", "/api/ps")),
    ...validate("get", "/api/version", await api.call("GET", "/api/version")),
    ...validate("post", "/api/show", await api.call("POST", "/api/show", { body: { model } })),
    ...validate("post", "/api/show", await api.call("POST", "/api/show", { body: { model: "none" } })),
    ...validate("post", "/api/chat", await api.call("POST", "/api/chat", { body: {} })),
  ];
  expect(problems).toEqual([]);
});

test("a finished job is what the document says", async () => {
  const { body } = await api.submit();
  await api.consume(() => completes());
  const see = () => api.call("GET", `/jobs/${body.job_id}`);
  await expect.poll(async () => (await see()).body.state, { timeout: 10_000 }).toBe("completed");
  expect(validate("get", "/jobs/{id}", await see())).toEqual([]);
});

test("the docs page needs nothing from another host, and no script", async () => {
  const page = await api.call("GET", "/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const sources = [...page.text.matchAll(/\s(?:src|href|action)="([^"]*)"/g)].map(([, source]) => source);
  expect(sources).toEqual(expect.arrayContaining(["docs/style.css", "openapi.json"]));
  expect(sources.filter((source) => /^[a-z]+:|^\/\//.test(source ?? ""))).toEqual([]);
  expect(page.text).not.toMatch(/<script|style="|\son\w+="/);
  const style = await api.call("GET", "/docs/style.css");
  expect(style.status).toBe(200);
  expect(style.text).not.toMatch(/url\(|@import/);
});

test("every link on the docs page leads somewhere", async () => {
  const { text } = await api.call("GET", "/docs");
  const ids = new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));
  for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});
