import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { askForRoom, readPromises, type RoomRequest } from "../src/index.ts";
import { createFixture, type Fixture } from "./queue-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** A line of 8 s where 10 are allowed, of jobs of a second on two slots. */
const ask = (identity: string, fields: Partial<RoomRequest> = {}) =>
  askForRoom(fixture.space, {
    identity,
    flow: "standard:acme",
    line: "a:1b",
    amount: 1_000,
    levelMs: 8_000,
    limitMs: 10_000,
    keptMs: 12_500,
    targetMs: 7_500,
    lowMs: 5_000,
    msPerUnit: 0.5,
    others: { heavy: 0, light: 0 },
    ...fields,
  });
const full = { levelMs: 11_000 };
const waitOf = (answer: Awaited<ReturnType<typeof ask>>): number => ("waitMs" in answer ? answer.waitMs : 0);
/** All that are held are due. */
async function makeDue(): Promise<void> {
  const { client } = fixture.space;
  for (const key of await client.keys(fixture.space.key("promises", "of", "*"))) {
    for (const promise of await client.zrange(key, "0", "-1")) await client.zadd(key, "0", promise);
  }
}

describe("who is sent away", () => {
  test("is told another time than all others, as far apart as work is done", async () => {
    const waits = [];
    for (let each = 0; each < 5; each++) waits.push(waitOf(await ask(`caller-${each}`, full)));
    // 3.5 s too much, then half a second each, at three fifths of the speed.
    expect(waits).toEqual([4_334, 5_167, 6_000, 6_834, 7_667]);
  });

  test("is let in when it comes back then, and nobody new before", async () => {
    await ask("told", full);
    expect(await ask("fresh")).toMatchObject({ kind: "told" });
    await makeDue();
    expect(await ask("newer", { amount: 2_000 })).toMatchObject({ kind: "told" });
    expect(await ask("told")).toEqual({ kind: "kept" });
    expect(await ask("fresh", { levelMs: 12_000 })).toEqual({ kind: "kept" });
    // A promise is good for once.
    expect(await ask("told", full)).toMatchObject({ kind: "told" });
  });

  test("and comes back too early is told the end of the line again", async () => {
    const first = waitOf(await ask("impatient", full));
    expect(waitOf(await ask("impatient", full))).toBeGreaterThan(first);
  });

  test("twice, for equal requests, gets two places", async () => {
    await ask("twin", full);
    await ask("twin", full);
    await makeDue();
    expect([await ask("twin"), await ask("twin")]).toEqual([{ kind: "kept" }, { kind: "kept" }]);
  });

  test("keeps its place while the line is longer than foretold", async () => {
    await ask("told", full);
    await ask("later", full);
    await makeDue();
    expect(await ask("told", { levelMs: 13_000 })).toEqual({ kind: "again", waitMs: 5_500 });
    await makeDue();
    expect(await ask("told")).toEqual({ kind: "kept" });
  });
});

describe("room", () => {
  test("nobody was promised is anybody's, up to the limit", async () => {
    expect(await ask("a", { levelMs: 10_000 })).toEqual({ kind: "room" });
    expect(await ask("b", { levelMs: 10_001 })).toMatchObject({ kind: "told" });
  });

  test("that those who hold promises do not come for is given to others", async () => {
    for (let each = 0; each < 50; each++) await ask(`gone-${each}`, full);
    await makeDue();
    expect(await ask("fresh", { levelMs: 6_000 })).toMatchObject({ kind: "told" });
    expect(await ask("fresh", { levelMs: 5_000 })).toEqual({ kind: "room" });
  });

  test("promised of another line before the same hosts counts", async () => {
    const others = { heavy: 20_000, light: 0 };
    expect(waitOf(await ask("a", { ...full, others }))).toBeGreaterThan(20_000);
  });

  test("promised and not taken is forgotten, and nothing stays behind", async () => {
    for (let each = 0; each < 3; each++) await ask(`gone-${each}`, full);
    const { client } = fixture.space;
    const held = fixture.space.key("promises", "held");
    for (const promise of await client.zrange(held, "0", "-1")) await client.zadd(held, "1", promise);
    expect(await ask("next", { levelMs: 10_000 })).toEqual({ kind: "room" });
    expect(await readPromises(fixture.space)).toEqual(new Map());
    expect(await client.zcard(held)).toBe(0);
    expect(await client.hlen(fixture.space.key("promises", "flows"))).toBe(0);
  });

  test("is not promised for later than an hour", async () => {
    const answer = await ask("a", { levelMs: 5_000_000 });
    expect(answer).toEqual({ kind: "unpromised", waitMs: 3_600_000 });
    expect(await readPromises(fixture.space)).toEqual(new Map());
  });
});

test("a tenant that was promised little does not stand behind all that was promised to another one", async () => {
  for (let each = 0; each < 100; each++) await ask(`flood-${each}`, full);
  const end = waitOf(await ask("flood-last", full));
  const light = waitOf(await ask("light", { ...full, flow: "standard:other" }));
  expect(light).toBe(3_500 + 500 / 0.2);
  expect(end).toBeGreaterThan(50_000);
});

test("who is new gets its room while another one holds all the promises", async () => {
  for (let each = 0; each < 100; each++) await ask(`flood-${each}`, full);
  const flow = "standard:other";
  await ask("light", { ...full, flow });
  await makeDue();
  expect(await ask("light", { flow })).toEqual({ kind: "kept" });
});
