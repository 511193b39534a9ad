import { createJobId } from "@forebay/queue-contracts";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { claimIdempotencyKey, recordIdempotentJob } from "../src/index.ts";
import { createFixture, type Fixture, keysOf } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const newId = (): string => createJobId("abcdefgh");
const claimOf = (fields: Partial<Parameters<typeof claimIdempotencyKey>[1]> = {}) => ({
  tenant: "acme",
  key: "order-7",
  fingerprint: "body-1",
  id: newId(),
  ttlS: 60,
  ...fields,
});

describe("a key", () => {
  test("nobody used is the caller's, with the id it chose", async () => {
    const claim = claimOf();
    expect(await claimIdempotencyKey(fixture.space, claim)).toEqual({ kind: "new", id: claim.id });
  });

  test("used for the same request leads to the first one's id", async () => {
    const first = claimOf();
    await claimIdempotencyKey(fixture.space, first);
    const again = await claimIdempotencyKey(fixture.space, claimOf());
    expect(again).toEqual({ kind: "same", id: first.id, recorded: false });
  });

  test("used for another request is refused", async () => {
    const first = claimOf();
    await claimIdempotencyKey(fixture.space, first);
    for (const fingerprint of ["body-2", "body-1+", "", "body-"]) {
      expect(await claimIdempotencyKey(fixture.space, claimOf({ fingerprint }))).toMatchObject({
        kind: "mismatch",
      });
    }
  });

  test("says whether its job was written", async () => {
    const first = claimOf();
    await claimIdempotencyKey(fixture.space, first);
    await recordIdempotentJob(fixture.space, first);
    const again = await claimIdempotencyKey(fixture.space, claimOf());
    expect(again).toEqual({ kind: "same", id: first.id, recorded: true });
    const other = await claimIdempotencyKey(fixture.space, claimOf({ fingerprint: "body-2" }));
    expect(other.kind).toBe("mismatch");
  });

  test("is another one for another tenant", async () => {
    await claimIdempotencyKey(fixture.space, claimOf());
    const other = claimOf({ tenant: "globex" });
    expect((await claimIdempotencyKey(fixture.space, other)).kind).toBe("new");
  });

  test.each(["", " ", "a:b", "ключ", "x".repeat(255), "order-7 ", "ORDER-7"])(
    "(%j) is itself",
    async (key) => {
      await claimIdempotencyKey(fixture.space, claimOf());
      expect((await claimIdempotencyKey(fixture.space, claimOf({ key }))).kind).toBe("new");
      expect((await claimIdempotencyKey(fixture.space, claimOf({ key }))).kind).toBe("same");
    },
  );
});

test("of fifty at once with one key one wins, and all others learn its id", async () => {
  const claims = Array.from({ length: 50 }, () => claimOf());
  const spaces = await Promise.all([fixture.openSpace(), fixture.openSpace(), fixture.openSpace()]);
  const answers = await Promise.all(
    claims.map((claim, index) => claimIdempotencyKey(spaces[index % 3] ?? fixture.space, claim)),
  );
  const winners = answers.filter((answer) => answer.kind === "new");
  expect(winners).toHaveLength(1);
  expect(new Set(answers.map((answer) => answer.id))).toEqual(new Set([winners[0]?.id]));
  expect(answers.filter((answer) => answer.kind === "same")).toHaveLength(49);
});

test("a key is forgotten by itself, and noting its job does not make it last longer", async () => {
  const first = claimOf({ ttlS: 60 });
  await claimIdempotencyKey(fixture.space, first);
  const key = (await keysOf(fixture.space)).find((name) => name.includes(":idem:")) ?? "";
  await fixture.space.client.expire(key, 30);
  await recordIdempotentJob(fixture.space, first);
  const ttlS = await fixture.space.client.ttl(key);
  expect(ttlS).toBeGreaterThan(0);
  expect(ttlS).toBeLessThanOrEqual(30);
  await fixture.space.client.unlink(key);
  await recordIdempotentJob(fixture.space, first);
  expect(await fixture.space.client.exists(key)).toBe(0);
  expect((await claimIdempotencyKey(fixture.space, claimOf())).kind).toBe("new");
});

test("the key itself, which may be a secret of the client, is not stored", async () => {
  await claimIdempotencyKey(fixture.space, claimOf({ key: "the-client's-own" }));
  expect((await keysOf(fixture.space)).join()).not.toContain("client");
});
