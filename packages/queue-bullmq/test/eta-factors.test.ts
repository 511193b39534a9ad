import { createJobId } from "@forebay/queue-contracts";
import { learnFactors, priorFactors } from "@forebay/scheduling";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { etaKey, noteDispatch, noteForetold, readEtaFactors } from "../src/index.ts";
import { createFixture, type Fixture, type Place } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Puts a job and tells when it would start. */
async function foretell(plainMs: number): Promise<Place> {
  const place = await fixture.submit({});
  await noteForetold(fixture.space, place, { plainMs, lowMs: plainMs / 2, highMs: plainMs * 2 });
  return place;
}

test("what was foretold of a start and what it took is learned from, in Redis as by the book", async () => {
  let expected = priorFactors;
  for (const plainMs of [0, 400, 20_000, 5_000, 998, 1_000]) {
    const { start } = await noteDispatch(fixture.space, await foretell(plainMs));
    expect(start).toMatchObject({ plainMs, lowMs: plainMs / 2, highMs: plainMs * 2 });
    expected = learnFactors(expected, plainMs, start?.tookMs ?? NaN);
  }
  const learned = await readEtaFactors(fixture.space);
  for (const name of ["soon", "later"] as const) {
    for (const part of ["mid", "low", "high"] as const)
      expect(learned[name][part]).toBeCloseTo(expected[name][part], 4);
  }
});

test("a start teaches once", async () => {
  const place = await foretell(20_000);
  await noteDispatch(fixture.space, place);
  const learned = await readEtaFactors(fixture.space);
  expect((await noteDispatch(fixture.space, place)).start).toBeUndefined();
  expect(await readEtaFactors(fixture.space)).toEqual(learned);
});

test("what cannot be read begins anew, and no job is kept from starting", async () => {
  await fixture.space.client.hset(etaKey(fixture.space), "later", "much too late", "soon", "");
  expect(await readEtaFactors(fixture.space)).toEqual(priorFactors);
  const { start } = await noteDispatch(fixture.space, await foretell(20_000));
  const learned = learnFactors(priorFactors, 20_000, start?.tookMs ?? NaN);
  expect((await readEtaFactors(fixture.space)).later.mid).toBeCloseTo(learned.later.mid, 4);
});

test("what is foretold of a job that is gone leaves nothing", async () => {
  const { queueName } = await fixture.submit({});
  const gone = { id: createJobId("0000"), queueName };
  await noteForetold(fixture.space, gone, { plainMs: 1, lowMs: 0, highMs: 2 });
  expect(await fixture.space.client.exists(fixture.space.jobKey(queueName, gone.id))).toBe(0);
});
