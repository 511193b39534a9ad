import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createLuaScript } from "../src/redis/lua.ts";
import { logLua, logNextLua } from "../src/token-log/log-lua.ts";
import { createFixture, type Fixture } from "./queue-fixture.ts";

let fixture: Fixture;
let key: string;
beforeEach(async () => {
  fixture = await createFixture(inject("redisUrl"));
  key = fixture.space.key("a-log");
});
afterEach(() => fixture[Symbol.asyncDispose]());

const next = createLuaScript(
  `return log_next(KEYS[1], tonumber(ARGV[1]), "token", "more", ARGV[2]) and 1 or 0`,
  logNextLua,
);
const add = createLuaScript(`${logLua("KEYS[1]")} log("token", "later") return seq`);
const addNext = async (last: number): Promise<unknown> =>
  next(fixture.space.client, [key], [last, fixture.space.key("live")]);
const idsOf = async (): Promise<string[]> =>
  (await fixture.space.client.xrange(key, "-", "+")).map(([id]) => String(id));

test("an entry follows the one its writer knows to be the last", async () => {
  await add(fixture.space.client, [key], []);
  expect(await addNext(2)).toBe(1);
  expect(await idsOf()).toEqual(["0-2", "0-3"]);
});

test.each([1, 5])(
  "where %i is not the last, nothing is written, and the next number is free",
  async (last) => {
    await add(fixture.space.client, [key], []);
    await add(fixture.space.client, [key], []);
    expect(await addNext(last)).toBe(0);
    expect(await idsOf()).toEqual(["0-2", "0-3"]);
    expect(await add(fixture.space.client, [key], [])).toBe(4);
    expect(await idsOf()).toEqual(["0-2", "0-3", "0-4"]);
  },
);

test("a log that is gone stays so", async () => {
  expect(await addNext(7)).toBe(0);
  expect(await fixture.space.client.exists(key)).toBe(0);
});
