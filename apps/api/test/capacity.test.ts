import { readWishes } from "@forebay/queue-bullmq";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";

let api: ApiFixture;
let operator: Record<string, string>;
beforeEach(async () => {
  api = await createApiFixture(inject("redisUrl"));
  operator = await api.withKey({ role: "operator" });
});
afterEach(() => api[Symbol.asyncDispose]());

const post = (path: string, body?: unknown, headers = operator) =>
  api.call("POST", path, { headers, ...(body === undefined ? {} : { body }) });

test("operators see backends, slots, what is loaded and what waits", async () => {
  await api.submit({}, operator);
  const { status, body } = await api.call("GET", "/capacity", { headers: operator });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    workers: 1,
    backends: [
      {
        name: "gpu-1",
        up: true,
        draining: false,
        workers: ["test"],
        loading: null,
        models: [{ name: model, loaded: true, slots: 1, busy: 0, out: false }],
      },
    ],
    models: [{ name: model, paused: false, slots: 1, waiting: 1, active: 0 }],
  });
});

test("it says how much work waits, and when a job at the end of the line would start", async () => {
  await api.submit({ options: { num_predict: 1_000 } }, operator);
  await api.submit({ options: { num_predict: 1_000 } }, operator);
  const read = async () =>
    (await api.call("GET", "/capacity", { headers: operator })).body["models"] as {
      work_s: number;
      eta_s: number | null;
    }[];
  const [line] = await read();
  expect(line?.work_s).toBeGreaterThan(1);
  // One slot works on it, and nothing runs.
  expect(line?.eta_s).toBeCloseTo(line?.work_s ?? 0, -1);
  await post("/capacity/models/pause", { model });
  expect(await read()).toMatchObject([{ work_s: line?.work_s, eta_s: null }]);
});

test("a drained backend has no slots until it is undrained, whichever replica is asked", async () => {
  expect((await post("/capacity/backends/gpu-1/drain")).body).toEqual({ backend: "gpu-1", draining: true });
  const replica = await api.startReplica();
  const drained = await replica.call("GET", "/capacity", { headers: operator });
  expect(drained.body["backends"]).toMatchObject([{ draining: true }]);
  await api.submit({}, operator);
  expect((await api.call("GET", "/capacity", { headers: operator })).body["models"]).toMatchObject([
    { slots: 0, waiting: 1 },
  ]);
  expect((await post("/capacity/backends/gpu-1/undrain")).body).toEqual({
    backend: "gpu-1",
    draining: false,
  });
  expect([...(await readWishes(api.space)).draining]).toEqual([]);
});

test("a model is paused by any of its names, and its jobs are accepted all the same", async () => {
  await api.announce([model, "qwen3:latest"]);
  expect((await post("/capacity/models/pause", { model: "qwen3" })).body).toEqual({
    model: "qwen3:latest",
    paused: true,
  });
  expect((await api.submit({ model: "qwen3" }, operator)).status).toBe(202);
  const { body } = await api.call("GET", "/capacity", { headers: operator });
  expect(body["models"]).toMatchObject([{ name: "qwen3:latest", paused: true, slots: 0, waiting: 1 }]);
  await post("/capacity/models/resume", { model: "qwen3:latest" });
  expect([...(await readWishes(api.space)).paused]).toEqual([]);
});

describe("is refused", () => {
  test.each([
    ["a backend nobody knows", "/capacity/backends/gpu-9/drain", undefined, 404, "backend_not_found"],
    [
      "a name without end",
      `/capacity/backends/${"x".repeat(300)}/undrain`,
      undefined,
      404,
      "backend_not_found",
    ],
    ["a model nobody has", "/capacity/models/pause", { model: "nope" }, 422, "model_not_found"],
    ["no model", "/capacity/models/pause", {}, 422, "invalid_body"],
    ["a field that is none", "/capacity/models/pause", { model, for: 5 }, 422, "invalid_body"],
    ["no JSON", "/capacity/models/resume", "{", 400, "malformed_body"],
    ["a query", "/capacity/models/resume?model=x", { model }, 400, "invalid_query"],
  ])("%s", async (_, path, body, status, code) => {
    const answer = await post(path, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    const wishes = await readWishes(api.space);
    expect([...wishes.draining, ...wishes.paused]).toEqual([]);
  });

  test("somebody who only submits jobs", async () => {
    const user = await api.withKey();
    const asked = [
      await api.call("GET", "/capacity", { headers: user }),
      await post("/capacity/backends/gpu-1/drain", undefined, user),
      await post("/capacity/models/pause", { model }, user),
    ];
    expect(asked.map(({ status }) => status)).toEqual([403, 403, 403]);
  });
});
