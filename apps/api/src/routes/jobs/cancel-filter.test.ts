import type { JobRecord } from "@forebay/queue-bullmq";
import { describe, expect, test } from "vitest";
import { type Caller, openCaller } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import { cancelBodySchema, type CancelFilter, isMeant, limitFilter } from "./cancel-filter.ts";

const job = {
  tenant: "acme",
  model: "llama3.2:3b",
  lane: "batch",
  user: "ann",
  metadata: { batch: "7", team: "red" },
};
const createdAt = new Date("2026-11-21T10:00:00.000Z");
const record = (fields: Partial<JobRecord> = {}): JobRecord =>
  ({ state: "waiting", createdAt, job, payload: job, ...fields }) as unknown as JobRecord;

// Each filter that means the job, and the same with one thing about it wrong.
test.each<[meant: CancelFilter, not: CancelFilter]>([
  [{ tenant: "acme" }, { tenant: "acm" }],
  [{ model: "llama3.2:3b" }, { model: "llama3.2:1b" }],
  [{ model: "llama3.2:3b" }, { model: "llama3.2" }],
  [{ lane: "batch" }, { lane: "standard" }],
  [{ state: "waiting" }, { state: "active" }],
  [{ user: "ann" }, { user: "Ann" }],
  [{ metadata: { batch: "7" } }, { metadata: { batch: "70" } }],
  [{ metadata: { batch: "7", team: "red" } }, { metadata: { batch: "7", team: "blue" } }],
  [{ metadata: { team: "red" } }, { metadata: { colour: "red" } }],
  [{ created_before: "2026-11-21T10:00:00.001Z" }, { created_before: "2026-11-21T10:00:00.000Z" }],
  [{ created_before: "2026-11-21T11:00:00.001+01:00" }, { created_before: "2026-11-21T10:59:59+01:00" }],
  [
    { tenant: "acme", lane: "batch", user: "ann" },
    { tenant: "acme", lane: "batch", user: "bob" },
  ],
  [{}, { state: "delayed" }],
])("%j means the job, %j does not", (meant, not) => {
  expect(isMeant(meant, record())).toBe(true);
  expect(isMeant(not, record())).toBe(false);
});

test("a model without a tag means the latest", () => {
  const latest = record({ job: { ...job, model: "llama3.2:latest" } as unknown as JobRecord["job"] });
  expect(isMeant({ model: "llama3.2" }, latest)).toBe(true);
});

test("a job nobody can read is meant by tenant, state and age, and by nothing it does not say", () => {
  const unreadable = record({ job: undefined });
  expect(isMeant({ tenant: "acme", state: "waiting" }, unreadable)).toBe(true);
  for (const filter of [
    { lane: "batch" },
    { model: "llama3.2:3b" },
    { user: "ann" },
  ] satisfies CancelFilter[]) {
    expect(isMeant(filter, unreadable)).toBe(false);
  }
  expect(isMeant({ metadata: { batch: "7" } }, unreadable)).toBe(false);
  expect(isMeant({ tenant: "acme" }, record({ job: undefined, payload: "broken" }))).toBe(false);
});

describe("whose jobs a caller may mean", () => {
  const client: Caller = { ...openCaller, role: "client", tenant: "acme" };
  const operator: Caller = { ...openCaller, role: "operator", tenant: "ops" };

  test("a client its own tenant's, named or not, and no other's", () => {
    expect(limitFilter({ filter: {} }, client)).toEqual({ tenant: "acme" });
    expect(limitFilter({ filter: { tenant: "acme", lane: "batch" } }, client)).toEqual({
      tenant: "acme",
      lane: "batch",
    });
    expect(limitFilter({ filter: { lane: "batch" }, all: true }, client)).toEqual({
      tenant: "acme",
      lane: "batch",
    });
    expect(() => limitFilter({ filter: { tenant: "other" } }, client)).toThrow(Problem);
  });

  test("an operator anybody's, and everybody's only when saying so", () => {
    expect(limitFilter({ filter: { tenant: "acme" } }, operator)).toEqual({ tenant: "acme" });
    expect(limitFilter({ filter: { lane: "batch" } }, operator)).toEqual({ lane: "batch" });
    expect(() => limitFilter({ filter: {} }, operator)).toThrow("all tenants");
    expect(() => limitFilter({ filter: { lane: undefined } }, operator)).toThrow("all tenants");
    expect(limitFilter({ filter: {}, all: true }, operator)).toEqual({});
  });
});

test.each([
  [{}, false],
  [{ filter: null }, false],
  [{ filter: [] }, false],
  [{ filter: { colour: "red" } }, false],
  [{ filter: { state: "completed" } }, false],
  [{ filter: { lane: "fast" } }, false],
  [{ filter: { created_before: "yesterday" } }, false],
  [{ filter: { metadata: { a: 1 } } }, false],
  [{ filter: { tenant: "" } }, false],
  [{ filter: {}, limit: 0 }, false],
  [{ filter: {}, limit: 10_001 }, false],
  [{ filter: {}, all: false }, false],
  [{ filter: {}, dry_run: "yes" }, false],
  [{ filter: {}, force: true }, false],
  [{ filter: {}, all: true, limit: 10_000, dry_run: true }, true],
])("body %j parses: %s", (body, parses) => {
  expect(cancelBodySchema.safeParse(body).success).toBe(parses);
});
