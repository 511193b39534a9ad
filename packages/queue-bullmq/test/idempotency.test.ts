import { createJobId, defaultDeliveryPolicy } from "@forebay/queue-contracts";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { countOpenJobs, type QueueSpace, readIdempotencyClaim, submitJob } from "../src/index.ts";
import { createFixture, type Fixture, generateJob, keysOf } from "./queue-fixture.ts";

let fixture: Fixture;
let queueName: string;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  queueName = await fixture.directory.ensure({ model: "llama3.2:3b", runner: {} });
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Request = {
  id: string;
  tenant: string;
  key: string;
  fingerprint: string;
  ttlS: number;
  openMax?: number;
};
const requestOf = (fields: Partial<Request> = {}): Request => ({
  id: createJobId("abcdefgh"),
  tenant: "acme",
  key: "order-7",
  fingerprint: "body-1",
  ttlS: 60,
  ...fields,
});
const submit = (request: Request, space: QueueSpace = fixture.space) => {
  const { id, tenant, key, fingerprint, ttlS, openMax } = request;
  const add = { id, queueName, job: generateJob({ tenant }), policy: defaultDeliveryPolicy };
  return submitJob(space, add, { openMax, claim: { key, fingerprint, ttlS } });
};

describe("a key", () => {
  test("nobody used makes the job", async () => {
    expect(await submit(requestOf())).toMatchObject({ kind: "added" });
    expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
  });

  test("used for the same request leads to the first one's job and makes none", async () => {
    const first = requestOf();
    await submit(first);
    expect(await submit(requestOf())).toEqual({ kind: "same", id: first.id });
    expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
  });

  test("used for another request makes nothing", async () => {
    const first = requestOf();
    await submit(first);
    for (const fingerprint of ["body-2", "body-1+", "", "body-"]) {
      expect(await submit(requestOf({ fingerprint }))).toEqual({ kind: "mismatch", id: first.id });
    }
    expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
  });

  test("is another one for another tenant", async () => {
    await submit(requestOf());
    expect(await submit(requestOf({ tenant: "globex" }))).toMatchObject({ kind: "added" });
  });

  test("can be asked for without being used", async () => {
    const first = requestOf();
    expect(await readIdempotencyClaim(fixture.space, "acme", first)).toBeUndefined();
    await submit(first);
    expect(await readIdempotencyClaim(fixture.space, "acme", first)).toEqual({ kind: "same", id: first.id });
    const other = { ...first, fingerprint: "body-2" };
    expect((await readIdempotencyClaim(fixture.space, "acme", other))?.kind).toBe("mismatch");
  });

  test.each(["", " ", "a:b", "ключ", "x".repeat(255), "order-7 ", "ORDER-7"])(
    "(%j) is itself",
    async (key) => {
      await submit(requestOf());
      expect((await submit(requestOf({ key }))).kind).toBe("added");
      expect((await submit(requestOf({ key }))).kind).toBe("same");
    },
  );
});

test("of fifty at once with one key one makes the job, and all others learn its id", async () => {
  const requests = Array.from({ length: 50 }, () => requestOf());
  const spaces = await Promise.all([fixture.openSpace(), fixture.openSpace(), fixture.openSpace()]);
  const answers = await Promise.all(requests.map((request, index) => submit(request, spaces[index % 3])));
  const winner = requests[answers.findIndex((answer) => answer.kind === "added")];
  const others = answers.filter((answer) => answer.kind !== "added");
  expect(others).toEqual(Array.from({ length: 49 }, () => ({ kind: "same", id: winner?.id })));
  expect(await countOpenJobs(fixture.space, "acme")).toBe(1);
});

test("a request that is sent twice by its own connection is the same request", async () => {
  const request = requestOf({ openMax: 1 });
  expect(await submit(request)).toMatchObject({ kind: "added" });
  expect(await submit(request)).toMatchObject({ kind: "added" });
  expect(await fixture.space.queue(queueName).count()).toBe(1);
});

test("a request that finds no room leaves its key unused", async () => {
  await submit(requestOf());
  const refused = requestOf({ key: "order-8", openMax: 1 });
  expect(await submit(refused)).toEqual({ kind: "full", open: 1 });
  expect(await readIdempotencyClaim(fixture.space, "acme", refused)).toBeUndefined();
  expect(await submit({ ...refused, openMax: 2 })).toMatchObject({ kind: "added" });
  expect(await submit({ ...refused, openMax: 1 })).toMatchObject({ kind: "added" });
});

test("a key is forgotten by itself", async () => {
  await submit(requestOf({ ttlS: 60 }));
  const key = (await keysOf(fixture.space)).find((name) => name.includes(":idem:")) ?? "";
  const ttlS = await fixture.space.client.ttl(key);
  expect(ttlS).toBeGreaterThan(0);
  expect(ttlS).toBeLessThanOrEqual(60);
  await fixture.space.client.unlink(key);
  expect(await submit(requestOf())).toMatchObject({ kind: "added" });
});

test("the key itself, which may be a secret of the client, is not stored", async () => {
  await submit(requestOf({ key: "the-client's-own" }));
  expect((await keysOf(fixture.space)).join()).not.toContain("client");
});
