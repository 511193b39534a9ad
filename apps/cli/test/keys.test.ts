import { createKeyring, createKeyStore, type KeyRecord } from "@forebay/access-keys";
import { closeRedis, openQueueSpace, openRedis, type Redis, waitForRedis } from "@forebay/queue-bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { runForebay } from "./run-forebay.ts";

const url = inject("redisUrl");
const prefix = `cli-keys-${process.pid}`;
const env = { REDIS_URL: url, FOREBAY_KEY_PREFIX: prefix };
let client: Redis;

beforeAll(async () => {
  client = openRedis({ url, prefix }, "producer", "cli-test", () => undefined);
  await waitForRedis(client, 5_000);
});
afterEach(async () => {
  await client.del(`${prefix}:keys`);
});
afterAll(() => closeRedis(client));

const keyring = () => createKeyring(createKeyStore(openQueueSpace(client, prefix)), { cacheMs: 0 });
const forebay = (...args: string[]) => runForebay(args, { env });
const create = (...flags: string[]) =>
  forebay("keys", "create", "--name", "ci", "--tenant", "acme", ...flags);
const forebayWithInput = (input: string, ...args: string[]) => runForebay(args, { env, input });

async function listed(): Promise<KeyRecord[]> {
  return JSON.parse((await forebay("keys", "list", "--json")).out) as KeyRecord[];
}

describe("keys create", () => {
  it("prints a key that opens the door, and keeps everything but the key", async () => {
    const made = await create();
    expect(made.status).toBe(0);
    const [secret = ""] = made.out.split("\n");
    expect(secret).toMatch(/^fbk_/);
    expect(await keyring().authenticate(secret)).toMatchObject({
      kind: "ok",
      key: { tenant: "acme", role: "client" },
    });
    expect(JSON.stringify(await client.hgetall(`${prefix}:keys`))).not.toContain(secret);
    expect((await forebay("keys", "list")).out).not.toContain(secret);
  });

  it("gives the key what its flags say", async () => {
    const flags =
      "--role operator --models llama3.2:3b,qwen3:8b --lanes batch,interactive --weight 2.5 " +
      "--jobs-open-max 40 --expires 2099-01-01T00:00:00Z --json";
    const made = await create(...flags.split(" "));
    expect(JSON.parse(made.out)).toMatchObject({
      key: expect.stringMatching(/^fbk_/),
      name: "ci",
      tenant: "acme",
      role: "operator",
      models: ["llama3.2:3b", "qwen3:8b"],
      lanes: ["batch", "interactive"],
      default_lane: "batch",
      weight: 2.5,
      limits: { jobs_open_max: 40 },
      expires_at: "2099-01-01T00:00:00.000Z",
    });
    expect(made.out).not.toContain("hash");
  });

  it("with --if-none makes one key, however many try at once", async () => {
    const tries = await Promise.all(Array.from({ length: 4 }, () => create("--if-none", "--json")));
    expect(tries.map((each) => each.status)).toEqual([0, 0, 0, 0]);
    expect(tries.filter((each) => each.out !== "")).toHaveLength(1);
    expect(await listed()).toHaveLength(1);
  });
});

describe("keys import", () => {
  const secret = "a-secret-that-callers-send";
  const importKey = (input: string, ...flags: string[]) =>
    forebayWithInput(input, "keys", "import", "--name", "legacy", "--tenant", "acme", ...flags);

  it("accepts the secret that callers already send, without showing it", async () => {
    const made = await importKey(`${secret}\n`);
    expect(made).toMatchObject({ status: 0, out: expect.stringContaining("Imported: key_") });
    expect(made.out + made.err).not.toContain(secret);
    expect(await keyring().authenticate(secret)).toMatchObject({ kind: "ok" });
  });

  it("leaves a key alone whose secret is imported again", async () => {
    await importKey(secret, "--role", "operator");
    const again = await importKey(secret);
    expect(again).toMatchObject({ status: 1, err: expect.stringContaining("already known, as key_") });
    expect(await listed()).toMatchObject([{ role: "operator" }]);
  });

  it("refuses a secret that can be guessed, unless told to accept it", async () => {
    const refused = await importKey("short");
    expect(refused).toMatchObject({ status: 2, err: expect.stringContaining("--allow-weak") });
    expect(await listed()).toEqual([]);
    expect((await importKey("short", "--allow-weak")).status).toBe(0);
    expect(await keyring().authenticate("short")).toMatchObject({ kind: "ok" });
  });

  it.each([
    ["nothing", "", "no secret"],
    ["two words", "two words that are long", "visible ASCII"],
    ["letters beyond ASCII", "schlüssel-schlüssel", "visible ASCII"],
    ["a whole file", "x".repeat(513), "longer than 512"],
  ])("refuses %s as a secret", async (_, input, why) => {
    expect(await importKey(input, "--allow-weak")).toMatchObject({
      status: 2,
      err: expect.stringContaining(why),
    });
  });
});

describe("an existing key", () => {
  async function existing(): Promise<{ id: string; key: string }> {
    return JSON.parse((await create("--json")).out) as { id: string; key: string };
  }

  it("gets a new secret by rotate, and the old one stops working", async () => {
    const { id, key } = await existing();
    const rotated = JSON.parse((await forebay("keys", "rotate", id, "--json")).out) as {
      id: string;
      key: string;
    };
    expect(rotated.id).toBe(id);
    expect(await keyring().authenticate(key)).toEqual({ kind: "refused", why: "unknown" });
    expect(await keyring().authenticate(rotated.key)).toMatchObject({ kind: "ok" });
  });

  it("is refused after disable and accepted again after enable", async () => {
    const { id, key } = await existing();
    expect((await forebay("keys", "disable", id)).out).toContain(`Disabled: ${id}`);
    expect(await keyring().authenticate(key)).toEqual({ kind: "refused", why: "disabled" });
    expect((await forebay("keys", "list")).out).toContain("disabled");
    expect((await forebay("keys", "enable", id)).status).toBe(0);
    expect(await keyring().authenticate(key)).toMatchObject({ kind: "ok" });
  });

  it("is told apart from one that does not exist", async () => {
    const answer = await forebay("keys", "disable", "key_0000000000");
    expect(answer).toMatchObject({ status: 1, err: expect.stringContaining("no key key_0000000000") });
  });
});
