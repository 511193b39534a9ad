import { expect, inject, test } from "vitest";
import { startService, waitFor } from "@forebay/test-harness";
import { createApiFixture, model } from "./api-fixture.ts";

test("metrics count by route, never by id, and say what was accepted and refused", async () => {
  await using api = await createApiFixture(inject("redisUrl"));
  const { body } = await api.submit({ lane: "batch" });
  await api.submit({ prompt: "" });
  await api.call("GET", `/jobs/${body.job_id}`);
  await api.call("GET", `/jobs/${body.job_id}xxxx`);
  await api.call("GET", "/a/stranger/tries/this");
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  expect(text).toContain(`forebay_jobs_accepted_total{type="generate",model="${model}",lane="batch"} 1`);
  expect(text).toContain('forebay_jobs_refused_total{code="invalid_body"} 1');
  expect(text).toContain('forebay_http_requests_total{route="/jobs/:id",method="GET",status="200"} 1');
  expect(text).toContain('forebay_http_requests_total{route="/jobs/:id",method="GET",status="404"} 1');
  expect(text).toMatch(/forebay_http_request_duration_seconds_count\{route="\/jobs",method="POST"\} 2/);
  expect(text).not.toContain(body.job_id);
  expect(text).not.toContain("stranger");
});

test("the log tells of accepted jobs, and neither prompts nor keys appear in it", async () => {
  await using fixture = await createApiFixture(inject("redisUrl"));
  const headers = await fixture.withKey();
  await using api = await startService("api", {
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: fixture.prefix,
    LOG_LEVEL: "debug",
  });
  const post = async (body: string) =>
    fetch(`${api.url}/jobs`, {
      method: "POST",
      body,
      headers: { ...headers, "content-type": "application/json", "x-request-id": "my-trace" },
    });
  const answer = await post(
    JSON.stringify({ model, prompt: "a secret prompt", metadata: { a: "secret b" } }),
  );
  const { job_id: id } = (await answer.json()) as { job_id: string };
  await post('{"prompt":"a secret prompt');
  await post(JSON.stringify({ model, prompt: "a secret prompt", lane: "a secret prompt" }));
  const lines = await waitFor(
    () => {
      const all = api.output().split("\n").filter(Boolean);
      return all.some((line) => line.includes("invalid_body")) ? all : undefined;
    },
    { what: "the log tells of the refusal" },
  );
  const accepted = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find((line) => line["msg"] === "job accepted");
  expect(accepted).toMatchObject({ level: "info", service: "api", job_id: id, model, tenant: "acme" });
  const text = lines.join("\n");
  expect(text).toContain("my-trace");
  expect(text).not.toContain("secret");
  expect(text).not.toContain(headers["authorization"]?.slice("Bearer ".length));
});
