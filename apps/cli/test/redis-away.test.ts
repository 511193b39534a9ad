import { closeRedis, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import { startRedis } from "@forebay/test-harness";
import { describe, expect, it } from "vitest";
import { runForebay } from "./run-forebay.ts";

const list = (REDIS_URL: string, more: Record<string, string> = {}) =>
  runForebay(["keys", "list"], { env: { REDIS_URL, ...more } });

async function requirePassword(url: string, password: string): Promise<void> {
  const client = openRedis({ url, prefix: "" }, "producer", "cli-test", () => undefined);
  await waitForRedis(client, 5_000);
  await client.config("SET", "requirepass", password);
  await closeRedis(client);
}

describe("without a Redis that answers, a command fails with status 1 and says where it looked", () => {
  it("when nothing listens", async () => {
    const answer = await list("redis://127.0.0.1:1");
    expect(answer).toMatchObject({ status: 1, out: "" });
    expect(answer.err).toMatch(/Redis at 127\.0\.0\.1:1 did not answer .* REDIS_URL .*ECONNREFUSED/);
  });

  it("when it is frozen", async () => {
    await using redis = await startRedis();
    await redis.kill("SIGSTOP");
    const answer = await list(redis.url);
    expect(answer).toMatchObject({ status: 1, err: expect.stringContaining("did not answer") });
  });

  it("when it wants a password", async () => {
    await using redis = await startRedis();
    await requirePassword(redis.url, "hush");
    expect(await list(redis.url)).toMatchObject({ status: 1, err: expect.stringMatching(/NOAUTH|password/) });
    const wrong = await list(redis.url, { REDIS_PASSWORD: "loud" });
    expect(wrong).toMatchObject({ status: 1, err: expect.stringContaining("WRONGPASS") });
    expect((await list(redis.url, { REDIS_PASSWORD: "hush" })).status).toBe(0);
  });

  it("when REDIS_URL is no URL of Redis", async () => {
    const answer = await list("http://localhost");
    expect(answer).toMatchObject({ status: 1, err: expect.stringContaining("REDIS_URL: must be a URL") });
  });
});

it("a command line typed wrong ends with status 2 before Redis is looked for", async () => {
  const answer = await runForebay(["keys", "create", "--name", "ci"], {
    env: { REDIS_URL: "redis://127.0.0.1:1" },
  });
  expect(answer).toMatchObject({ status: 2, out: "", err: expect.stringContaining("--tenant is required") });
});
